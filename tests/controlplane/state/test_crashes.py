"""A control plane that is killed at any of its writes: what was acknowledged is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.controlplane.state.crashing import NO_TRACING
from tests.controlplane.state.tracing import can_trace
from tests.plugin import missing

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_before_each_write(tmp_path: Path) -> None:
    """And nothing is acknowledged whose write was not synced, so a power cut takes nothing either."""
    if not can_trace():
        missing("ptrace", "run it on Linux, x86-64 or ARM64")
    command = [sys.executable, "-m", "tests.controlplane.state.crashing", str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    if ended.returncode == NO_TRACING:
        pytest.skip(f"tracing is not allowed here: {ended.stdout}")
    assert (ended.returncode, ended.stderr) == (0, "")
    kills = [line.split(" ") for line in ended.stdout.splitlines()]
    assert len(kills) > 100
    assert {"pwrite", "fsync", "fdatasync", "ftruncate", "rename", "link", "unlink", "end"} <= {
        call for call, *_ in kills
    }
    assert kills[0][2:] == []
    assert kills[-1][-1] == "backed-up"
