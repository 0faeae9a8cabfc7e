"""`meshext check --mode wasm`: whether filters compile, what they read, what that costs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.wasm.cli.test_build import BAD

pytestmark = pytest.mark.timeout(600)  # the run-time library may have to be compiled first

READS = """from dataclasses import dataclass

from meshext import Exchange, Filter, Headers, Request, Response


class Reads(Filter):
    attributes = ("source.port",)

    @dataclass(frozen=True)
    class Config:
        header: str

    def __init__(self, config: Config) -> None:
        self.config = config

    def on_request(self, request: Request) -> None:
        request.headers["X-A"] = request.headers.get("x-b") or request.client_address
        mark(request.headers, self.config.header)

        request.set_metadata("port", request.attribute("source.port"))

    def on_response(self, response: Response) -> None:
        if response.request.path == "/" and "x-c" in response.headers:
            response.status = 204

    def on_complete(self, exchange: Exchange) -> None:
        len(list(exchange.request.headers))


def mark(headers: Headers, name: str) -> None:
    headers.add(name, "1")
"""


def check(folder: Path, *arguments: str) -> tuple[int, str, Any]:
    """The exit code, standard output, and what `--json` printed there."""
    command = [sys.executable, "-m", "meshext", "check", *arguments, "--mode", "wasm"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=500, check=False)
    data = json.loads(done.stdout) if "--json" in arguments else None
    return done.returncode, done.stdout + done.stderr, data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bad.py").write_text(BAD)
    (tmp_path / "reads.py").write_text(READS)
    return tmp_path


def test_what_does_not_compile_is_drawn_and_is_data(folder: Path) -> None:
    code, text, _ = check(folder, "bad.py:Bad")
    assert code == 1
    assert "does not compile: 2 mistakes" in text
    assert "^^^^^^^^^^" in text
    code, _, data = check(folder, "bad.py:Bad", "--json")
    assert code == 1
    assert [(each["file"], each["line"]) for each in data["compiled"]["mistakes"]] == [
        ("bad.py", 7),
        ("bad.py", 8),
    ]
    [wasm] = [each for each in data["runtimes"] if each["mode"] == "wasm"]
    assert not wasm["can"]
    assert wasm["refusals"] == ["it does not compile: 2 mistakes, see below"]


def test_what_hooks_read_and_what_it_costs(folder: Path) -> None:
    code, text, data = check(folder, "reads.py:Reads", "--config", '{"header": "x-mark"}', "--json")
    assert code == 0, text
    compiled = data["compiled"]
    assert [(use["hook"], set(use["reads"]), set(use["writes"])) for use in compiled["uses"]] == [
        (
            "on_request",
            {"request header x-b", "request.client_address", "attribute source.port"},
            {"request header x-a", "a message's header by a computed name", "metadata key port"},
        ),
        ("on_response", {"request.path", "response header x-c"}, {"response.status"}),
        ("on_complete", {"every request header"}, set()),
    ]
    assert compiled["properties"] == ["source.port", "source.address"]
    assert compiled["exchanges"] == 3
    assert compiled["failures"] == []
    first, *_ = phases = compiled["phases"]
    assert [(phase["phase"], phase["hooks"]) for phase in phases] == [
        ("request headers", ["on_request"]),
        ("response headers", ["on_response"]),
        ("end", ["on_complete"]),
    ]
    assert first["host_calls"]["get_property"] == {"least": 2, "most": 2}
    assert first["host_calls"]["replace_header_map_value"] == {"least": 1, "most": 1}
    assert first["host_calls"]["add_header_map_value"] == {"least": 1, "most": 1}


STORES = """from meshext import Filter, Limit, Request, Respond

LIMIT = Limit(key="all", algorithm="fixed_window", rate=5, window=60.0)


class Stores(Filter):
    async def on_request(self, request: Request) -> Respond | None:
        await self.store.set("last", b"1")
        await self.store.add(f"seen {request.path}")
        if await self.store.get("closed") is not None:
            return Respond(503)
        await self.store.take([LIMIT])
        return None
"""


def test_what_of_the_store_is_read_and_written(folder: Path) -> None:
    (folder / "stores.py").write_text(STORES)
    code, text, data = check(folder, "stores.py:Stores", "--json")
    assert code == 0, text
    [use] = data["compiled"]["uses"]
    assert {each for each in use["reads"] if "store" in each} == {
        "a store key by a computed name",
        "store key closed",
        "store limits",
    }
    assert {each for each in use["writes"] if "store" in each} == {
        "a store key by a computed name",
        "store key last",
        "store limits",
    }


def test_without_its_configuration_nothing_is_tried(folder: Path) -> None:
    code, text, data = check(folder, "reads.py:Reads", "--json")
    assert code == 0, text
    assert data["compiled"]["exchanges"] == 0
    assert "--config" in data["compiled"]["not_tried"]


def test_hooks_that_fail_there_are_told(folder: Path) -> None:
    config = ["--config", '{"header": "no name"}']
    _, text, data = check(folder, "reads.py:Reads", *config, "--json")
    [failure] = data["compiled"]["failures"]
    assert "on_request failed (raised), refused: HeaderError" in failure, text


def test_the_code_is_checked_although_the_class_is_refused(folder: Path) -> None:
    text = BAD.replace("class Bad(Filter):", "class Bad(Filter):\n    duplex = True\n")
    (folder / "duplex.py").write_text(text + "\n    def on_request_chunk(self, a, b, c):\n        pass\n")
    code, _, data = check(folder, "duplex.py:Bad", "--json")
    assert code == 1
    [wasm] = [each for each in data["runtimes"] if each["mode"] == "wasm"]
    assert "no full duplex" in wasm["refusals"][0]
    assert {each["line"] for each in data["compiled"]["mistakes"]} >= {9, 10}
