"""`meshext check`: what it finds out, how it shows it, and what it ends with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
Golden = Callable[[str, str], None]

RUNTIME = """
from meshext.cli.runtimes import Runtime

INSIDE = Runtime(
    name="inside Envoy",
    mode="inside",
    refusals=lambda cls, needs: [f"{needs.name}: {cls.__name__} is too large"] if needs.hooks else [],
    ability=lambda row: "yes",
)
NOT_ONE = "a text"
"""


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["policies.py:Hello"], "hello.txt"),
        (["policies.py:Everything"], "everything.txt"),
        (["policies.py:Streams", "policies.py:Passes"], "bodies.txt"),
        (["policies.py:Late"], "configuration-required.txt"),
        (["policies.py:Raw"], "raw-text.txt"),
        (["policies.py:Hello", "policies.py:Everything"], "chain.txt"),
        (["policies.py:Everything", "--json"], "everything.json"),
    ],
)
def test_what_it_shows(arguments: list[str], name: str, meshext: Run, golden: Golden) -> None:
    ended = meshext("check", *arguments)
    assert (ended.code, set(ended.err.splitlines())) == (0, {"modules may print"})
    golden(ended.out, name)


@pytest.mark.parametrize(
    ("spec", "mode", "code"),
    [
        ("policies.py:Hello", "authz", 0),
        ("policies.py:Hello", "proc", 0),
        ("policies.py:Everything", "authz", 1),
        ("policies.py:Everything", "proc", 0),
        # its module prints, which is not compiled
        pytest.param("policies.py:Hello", "wasm", 1, marks=[pytest.mark.slow, pytest.mark.timeout(600)]),
        ("policies.py:Hello", "lua", 2),
    ],
)
def test_a_mode_may_be_demanded(spec: str, mode: str, code: int, meshext: Run) -> None:
    assert meshext("check", spec, "--mode", mode).code == code


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ('{"header": "cookie"}', "--config: header: cookies are not for this"),
        ('{"token": "taken"}', "configuration: Everything: RuntimeError: __init__ says no"),
    ],
)
def test_a_configuration_is_tried_whole(config: str, problem: str, meshext: Run) -> None:
    ended = meshext("check", "policies.py:Everything", "--config", config)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines()[-1] == f"meshext: {problem}"


def test_what_a_configuration_switches_off_is_not_asked_for(tmp_path: Path, meshext: Run) -> None:
    (tmp_path / "switch.py").write_text(
        "from dataclasses import dataclass\n"
        "from meshext import Filter\n"
        "class Switch(Filter):\n"
        "    @dataclass\n"
        "    class Config:\n"
        "        answers: bool = True\n"
        "    @classmethod\n"
        "    def needs(cls, config):\n"
        "        needs = super().needs(config)\n"
        "        return needs if config.answers else needs.without('on_response')\n"
        "    def on_request(self, request): ...\n"
        "    def on_response(self, response): ...\n"
    )
    found = {}
    for config in ('{"answers": true}', '{"answers": false}'):
        ended = meshext("check", str(tmp_path / "switch.py"), "--config", config, "--json")
        found[config] = json.loads(ended.out)["default_mode"]
    assert list(found.values()) == ["proc", "authz"]


def test_a_runtime_of_another_distribution(meshext: Run, offer: Callable[..., Path]) -> None:
    offer("meshext.runtimes", "inside", "inside_envoy:INSIDE", RUNTIME)
    ended = meshext("check", "policies.py:Hello", "--mode", "inside")
    assert ended.code == 1
    assert "  --mode inside:   hello: Hello is too large\n" in ended.out


def test_a_runtime_that_is_none_is_named(meshext: Run, offer: Callable[..., Path]) -> None:
    offer("meshext.runtimes", "inside", "inside_envoy:NOT_ONE", RUNTIME)
    ended = meshext("check", "policies.py:Hello")
    assert ended.code == 2
    assert ended.err.splitlines()[-1].startswith(
        "meshext: runtime 'inside' of stranger does not load: TypeError"
    )


def test_rows_of_a_dataclass_that_contains_itself(tmp_path: Path, meshext: Run) -> None:
    (tmp_path / "tree.py").write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "from meshext import Filter\n"
        "@dataclass(frozen=True)\n"
        "class Node:\n"
        "    name: str\n"
        "    below: tuple[Node, ...] = ()\n"
        "class Tree(Filter):\n"
        "    @dataclass(frozen=True)\n"
        "    class Config:\n"
        "        roots: dict[str, Node]\n"
        "    def on_request(self, request): ...\n"
    )
    ended = meshext("check", str(tmp_path / "tree.py"))
    facts = ended.out.partition("runtimes")[0]
    rows = [line.split()[0] for line in facts.splitlines() if line.startswith("    ")]
    assert rows == ["field", "roots", "roots.*.name", "roots.*.below"]
