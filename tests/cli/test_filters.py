"""`meshext filters`: which filters are installed, and the page of one."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pytest

from meshext import plugins
from meshext.cli.docstrings import Docstring, parse_docstring
from tests.cli.conftest import environment

Run = Callable[..., Any]
Golden = Callable[[str, str], None]
Offer = Callable[..., Path]

GREETER = (Path(__file__).parent / "filters" / "greeter.py").read_text(encoding="utf-8")
BARE = """
from meshext import Filter
class Bare(Filter):
    def on_request(self, request):
        pass
"""


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is installed but what a stranger offers."""

    def strangers(group: str) -> list[EntryPoint]:
        return [point for point in entry_points(group=group) if point.dist and point.dist.name == "stranger"]

    monkeypatch.setattr(plugins, "entry_points", strangers)


@pytest.mark.usefixtures("alone")
def test_the_list(meshext: Run, offer: Offer, golden: Golden) -> None:
    offer("meshext.filters", "greeter", "greeting:Greeter", GREETER)
    ended = meshext("filters", "list")
    assert (ended.code, ended.err) == (0, "")
    golden(ended.out, "list.txt")
    assert json.loads(meshext("filters", "list", "--json").out) == [
        {
            "name": "greeter",
            "class": "greeting:Greeter",
            "distribution": "stranger",
            "version": "1.0",
            "summary": "Greets whoever comes.",
            "problem": None,
        }
    ]


@pytest.mark.usefixtures("alone")
def test_where_none_is_installed(meshext: Run) -> None:
    ended = meshext("filters", "list")
    assert (ended.code, ended.out) == (
        0,
        "no filter is installed; a file is written path/to/file.py:Class\n",
    )


@pytest.mark.usefixtures("alone")
def test_one_that_does_not_load_is_in_the_list(meshext: Run, offer: Offer) -> None:
    offer("meshext.filters", "greeter", "greeting:Greeter", "import nowhere_to_be_found\n")
    ended = meshext("filters", "list")
    assert ended.code == 1
    assert "'greeting:Greeter' does not import: ModuleNotFoundError: No module named" in ended.out


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["greeter"], "greeter.txt"),
        (["greeter", "--json"], "greeter.json"),
        (["greeter", "--example"], "greeter.yaml"),
        (["policies.py:Everything"], "everything.txt"),
        (["policies.py:Raw"], "raw-text.txt"),
    ],
)
@pytest.mark.usefixtures("alone")
def test_a_page(arguments: list[str], name: str, meshext: Run, offer: Offer, golden: Golden) -> None:
    offer("meshext.filters", "greeter", "greeting:Greeter", GREETER)
    ended = meshext("filters", "describe", *arguments)
    assert ended.code == 0
    golden(ended.out, name)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    "text", ["{", "[]", '{"filters": {}}', '{"filters": {"greeter": 7}, "measured": {}}']
)
def test_figures_that_are_none_are_left_out(text: str, meshext: Run, offer: Offer) -> None:
    folder = offer("meshext.filters", "greeter", "greeting.policy:Greeter", "")
    write_package(folder, text)
    ended = meshext("filters", "describe", "greeter")
    assert (ended.code, "measured" in ended.out) == (0, False)


@pytest.mark.usefixtures("alone")
def test_what_was_measured_is_on_the_page(meshext: Run, offer: Offer) -> None:
    write_package(
        offer("meshext.filters", "greeter", "greeting.policy:Greeter", ""),
        """{"measured": {"date": "2026-01-31", "cpu": "a chip", "python": "3.11.9"},
            "filters": {"greeter": {"microseconds": 21.5, "request": "GET /"}}}""",
    )
    assert "us of CPU for a request (GET /)" in meshext("filters", "describe", "greeter").out
    costs = json.loads(meshext("filters", "describe", "greeter", "--json").out)["costs"]
    assert costs.endswith("measured 2026-01-31 with Python 3.11.9 on a chip.")


def write_package(folder: Path, costs: str) -> None:
    """A distribution whose filter is in a package, with a file of figures."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "greeting"]:
        del sys.modules[name]
    package = folder / "greeting"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "policy.py").write_text(GREETER, encoding="utf-8")
    (package / "costs.json").write_text(costs)


@pytest.mark.usefixtures("alone")
def test_the_example_can_be_used_as_it_is_printed(meshext: Run, offer: Offer, tmp_path: Path) -> None:
    offer("meshext.filters", "greeter", "greeting:Greeter", GREETER)
    file = tmp_path / "config.yaml"
    file.write_text(meshext("filters", "describe", "greeter", "--example").out, encoding="utf-8")
    assert meshext("check", "greeter", "--config", str(file), "--mode", "authz").code == 0


@pytest.mark.usefixtures("alone")
def test_an_example_that_is_refused_is_said(meshext: Run, offer: Offer) -> None:
    offer("meshext.filters", "greeter", "greeting:Greeter", GREETER.replace("loud: true", "load: true"))
    ended = meshext("filters", "describe", "greeter")
    assert ended.code == 0
    assert ended.err.startswith("meshext: warning: greeter refuses its own example: load: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["helo"], "'helo' is not a filter's name (the installed ones are greeter); a file is written"),
        (["policies.py:Hello", "--example"], "'policies.py:Hello' has no example: its class's docstring"),
        (["policies.py:NoHooks"], "NoHooks has no hooks"),
    ],
)
@pytest.mark.usefixtures("alone")
def test_what_is_refused(arguments: list[str], said: str, meshext: Run, offer: Offer) -> None:
    offer("meshext.filters", "greeter", "greeting:Greeter", GREETER)
    ended = meshext("filters", "describe", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


def test_a_name_that_two_offer_is_nobodys(
    meshext: Run, offer: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = offer("meshext.filters", "bare", "bare:Bare", BARE)
    info = folder / "other-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text("[meshext.filters]\nbare = other:Bare\n")
    (folder / "other.py").write_text(BARE)
    monkeypatch.delitem(sys.modules, "other", raising=False)
    ended = meshext("filters", "describe", "bare")
    assert (ended.code, ended.err) == (
        2,
        "meshext: 'bare' is offered by other (other:Bare) and stranger (bare:Bare); "
        "write module:Class of the one that is meant\n",
    )
    assert meshext("filters", "describe", "other:Bare").code == 0
    assert "other 2.0" in meshext("filters", "list").out


@pytest.mark.parametrize("columns", ["60", "90"])
def test_a_terminal_can_hold_it(columns: str) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "meshext", "filters", "describe", "policies.py:Everything"]
    folder = Path(__file__).parent / "filters"
    child = subprocess.Popen(
        command, stdout=theirs, cwd=folder, env=environment(COLUMNS=columns, NO_COLOR="1")
    )
    os.close(theirs)
    text = read_all(ours)
    assert child.wait(60) == 0
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= int(columns)


def read_all(descriptor: int) -> str:
    parts = []
    try:
        while part := os.read(descriptor, 65536):
            parts.append(part)
    except OSError:  # a pseudo-terminal ends so
        pass
    os.close(descriptor)
    return b"".join(parts).decode()


DOCSTRING = """Sum it up
    in two lines.

    More.

    Example:
        a: 1

        b:
          - c

    And more.

    Configuration:
        a    a number
        b    a list

    Costs:
        Nothing
        at all.
    """


def test_the_parts_of_a_docstring() -> None:
    assert parse_docstring(DOCSTRING) == Docstring(
        summary="Sum it up in two lines.",
        paragraphs=("More.", "And more."),
        configuration="a    a number\nb    a list",
        example="a: 1\n\nb:\n  - c\n",
        costs="Nothing at all.",
    )
    assert parse_docstring(None) == parse_docstring("") == Docstring()
    assert parse_docstring("Example: of a summary") == Docstring(summary="Example: of a summary")
