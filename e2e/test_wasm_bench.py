"""The benchmark of compiled filters runs and every way decides alike; its figures are no test's business."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from e2e.bench.rounds import Round
from e2e.bench.wasm.__main__ import PARTS, main
from e2e.bench.wasm.counted import Counted, to_counted
from e2e.bench.wasm.million import read_pages
from e2e.bench.wasm.requests import added, spread
from e2e.bench.wasm.ways import BY_HAND, LUA, NATIVE, OURS

LEFT_OUT = {"million", "instructions"}
"""They are a closing run's."""


@pytest.mark.envoy
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_piece_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "wasm.json"
    parts = [f"--part={name}" for name in PARTS if name not in LEFT_OUT]
    assert main([*parts, "--quick", "--load=python", f"--out={out}"]) == 0
    record = json.loads(out.read_text())
    assert list(record) == [name for name in PARTS if name not in LEFT_OUT]
    assert {OURS, BY_HAND, LUA, NATIVE} <= record["requests"]["ways"].keys()
    assert all(len(way["rounds"]) == 1 for way in record["requests"]["ways"].values())
    shown = capsys.readouterr().out
    assert all(name in shown for name in record)


def test_a_ratio_is_taken_round_by_round() -> None:
    assert spread([6.0, 4.0, 9.0], [3.0, 4.0, 3.0]) == {
        "median": 2.0,
        "least": 1.0,
        "most": 3.0,
        "of_medians": 2.0,
        "of_minima": 1.333,
    }


def test_a_round_in_which_nothing_was_added_says_nothing() -> None:
    assert spread([6.0, 4.0], [3.0, -0.5])["median"] == 2.0


def test_what_a_way_adds_is_above_envoy_alone() -> None:
    mine, alone = (
        Round(service=0, envoy=envoy, busy_p50=0, busy_p99=0, calm_p50=0, calm_p99=0)
        for envoy in (30.0, 20.0)
    )
    assert added([mine], [alone]) == [10.0]


CALLGRIND = """\
events: Ir Dr I1mr D1mr D1mw
ob=/bin/envoy
fn=one
0x2000 40 8 2 1
cfn=two
calls=10 0x90000040
0x2004 500 9 9 9 9
ob=???
fn=two
0x90000040 10
0x90000044 10 10 0 3 2
0x90000080 2 0 10
summary: 62 18 12 4 2
"""


def test_what_valgrind_counted_is_a_requests(tmp_path: Path) -> None:
    (tmp_path / "counted").write_text(CALLGRIND)
    assert to_counted(tmp_path / "counted", [(0x90000000, 0x90001000)], 10) == Counted(
        instructions=6.2, compiled=2.2, compiled_lines=1.0, code_misses=1.2, data_misses=0.6
    )


MAPS = """\
7f0000000000-7f0000200000 rw-p 00000000 00:00 0
7f0000200000-7f0200000000 ---p 00000000 00:00 0
7f0300000000-7f0300010000 r--p 00000000 00:00 0                          /lib/x.so
7f0300010000-7f0300020000 rw-p 00000000 00:00 0                          [stack]
7f0300030000-7f0500000000 ---p 00000000 00:00 0
7f0600000000-7f0600010000 rw-p 00000000 00:00 0
7f0600010000-7f0600020000 ---p 00000000 00:00 0
"""


def test_linear_memories_are_told_by_what_is_reserved_behind_them() -> None:
    assert list(read_pages(MAPS)) == [32]
