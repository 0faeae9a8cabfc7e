"""The benchmark of the control plane runs and counts exactly; how long things take is no test's business."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from e2e.bench.scale.__main__ import main
from e2e.bench.scale.scanning import scan
from meshext_controlplane.snapshot import Resource
from meshext_controlplane.subscription.messages import Push
from meshext_controlplane.xds.delta import encode_push

SERVICES, PROXIES = 30, 5


@pytest.mark.slow
def test_every_piece_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "scale.json"
    asked = ["--services", f"{SERVICES}", "--proxies", f"{PROXIES}", "--edits", "2", "--out", f"{out}"]
    assert main(asked) == 0
    found = json.loads(out.read_text())["proxies"][f"{PROXIES}"]
    assert found["first"]["resources"] >= 2 * SERVICES * PROXIES
    assert (found["reconnect"]["pushes"], found["reconnect"]["resources"]) == (0, 0)
    for name in ("endpoint", "routes"):
        assert [run["resources"] for run in found[name]] == [PROXIES] * 2
    assert "memory a proxy" in capsys.readouterr().out


def test_responses_are_read_past_their_bodies() -> None:
    resources = tuple(Resource("type/x", f"n{size}", f"v{size}", bytes(size)) for size in (0, 1, 200, 70_000))
    read = scan(encode_push(Push("type/x", "s-1", "", resources, ("gone",))))
    assert read == ("type/x", "s-1", {each.name: each.version for each in resources}, ["gone"])
