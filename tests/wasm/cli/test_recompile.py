"""Compiled by a process of their own, filters are the module that they are in this one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from meshext.cli.embedding import recompile
from meshext.sandbox.recompiling import RefusedVersionError
from meshext_wasm.cli.runtime import embed
from tests.wasm.cli.test_build import BAD

pytestmark = pytest.mark.timeout(600)  # the run-time library may have to be compiled first

EVERYTHING = """from meshext import Counter, Filter, Request


class Everything(Filter):
    Config = str
    seen = Counter("seen_total", labels=("kind",))

    def __init__(self, config: str) -> None:
        self.kind = config

    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> None:
        self.seen.inc(kind=self.kind)
        request.set_metadata("peer", request.peer.address)
"""


def test_the_same_module(tmp_path: Path) -> None:
    file = tmp_path / "everything.py"
    file.write_text(EVERYTHING)
    (tmp_path / "config").write_text("a text")
    specs, configs = [f"{file}:Everything"], [str(tmp_path / "config")]
    lines: list[str] = []
    version = asyncio.run(recompile("wasm", specs, configs, lines.append))
    module, needs = embed(specs, configs, lambda _: None)
    assert (version.module, version.needs) == (module, needs)
    assert module.written_namespaces
    assert module.writes_late
    assert module.reads_peer
    assert set(version.files) == {str(file), configs[0]}
    assert lines == []


def test_what_is_refused_is_told_with_the_files(tmp_path: Path) -> None:
    file = tmp_path / "bad.py"
    file.write_text(BAD)
    with pytest.raises(RefusedVersionError, match=r"bad\.py:7:") as caught:
        asyncio.run(recompile("wasm", [f"{file}:Bad"], [], print))
    assert set(caught.value.files) == {str(file)}
