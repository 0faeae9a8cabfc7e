"""The benchmark of the control plane runs and counts exactly; how long things take is no test's business."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from e2e.bench import renewals
from e2e.bench.scale.__main__ import main
from e2e.bench.scale.scanning import scan, scan_state
from meshext_controlplane.snapshot import Resource
from meshext_controlplane.subscription.messages import Push
from meshext_controlplane.xds import sotw
from meshext_controlplane.xds.delta import encode_push

SERVICES, PROXIES = 30, 5


@pytest.mark.slow
@pytest.mark.parametrize("form", [[], ["--sotw"]], ids=["delta", "sotw"])
def test_every_piece_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str], form: list[str]) -> None:
    out = tmp_path / "scale.json"
    asked = ["--services", f"{SERVICES}", "--proxies", f"{PROXIES}", "--edits", "2", "--out", f"{out}"]
    assert main([*asked, *form]) == 0
    found = json.loads(out.read_text())["proxies"][f"{PROXIES}"]
    assert found["first"]["resources"] >= 2 * SERVICES * PROXIES
    assert (found["reconnect"]["pushes"], found["reconnect"]["resources"]) == (0, 0)
    for name in ("endpoint", "routes"):
        assert [run["resources"] for run in found[name]] == [PROXIES] * 2
    assert "memory a proxy" in capsys.readouterr().out


@pytest.mark.slow
def test_many_renew_at_once(tmp_path: Path) -> None:
    out = tmp_path / "renewals.json"
    assert renewals.main(["--workloads", "40", "--out", f"{out}"]) == 0
    (found,) = json.loads(out.read_text())["runs"]
    assert (found["workloads"], found["asked_again"]) == (40, 0)


def test_states_are_read_past_their_bodies() -> None:
    resources = tuple(Resource("type/x", f"n{size}", f"v{size}", bytes(size)) for size in (0, 200, 70_000))
    assert scan_state(sotw.encode_push(Push("type/x", "s-1", "v7", resources, ()))) == ("type/x", "s-1", "v7")


def test_responses_are_read_past_their_bodies() -> None:
    resources = tuple(Resource("type/x", f"n{size}", f"v{size}", bytes(size)) for size in (0, 1, 200, 70_000))
    read = scan(encode_push(Push("type/x", "s-1", "", resources, ("gone",))))
    assert read == ("type/x", "s-1", {each.name: each.version for each in resources}, ["gone"])
