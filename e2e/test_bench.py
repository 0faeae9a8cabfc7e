"""The benchmark's pieces run; what they measure is no test's business."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from e2e.bench.__main__ import main
from e2e.bench.load import LoadError, read_log


@pytest.mark.envoy
@pytest.mark.slow
def test_every_piece_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "figures.json"
    asked = [
        "--case=authz, decide",
        "--case=proc, 100 KB body buffered",
        "--rounds=1",
        "--scale=0.005",
        "--plain",
    ]
    assert main([*asked, "--load=python", f"--out={out}"]) == 0
    record = json.loads(out.read_text())
    assert list(record["cases"]) == ["authz, decide", "proc, 100 KB body buffered"]
    for case in record["cases"].values():
        assert {"alone", "bare", "ours"} <= case["variants"].keys()
        assert all(len(variant["rounds"]) == 1 for variant in case["variants"].values())
    assert "ours" in capsys.readouterr().out


def test_a_missing_load_generator_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert main([]) == 2
    assert capsys.readouterr().err == "bench: h2load is missing: apt-get install nghttp2-client\n"


def test_the_log_of_h2load_is_read() -> None:
    times = "".join(f"170000\t200\t{took}\n" for took in range(1, 101))
    latency = read_log(times, 100)
    assert (latency.p50, latency.p99) == (51e-6, 100e-6)


@pytest.mark.parametrize("log", ["1\t200\t5\n1\t500\t5\n", "1\t200\t5\n"])
def test_answers_that_are_not_all_there_are_no_figures(log: str) -> None:
    with pytest.raises(LoadError, match="1 of 2 requests"):
        read_log(log, 2)
