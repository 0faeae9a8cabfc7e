"""The control plane's state is lost while the mesh runs: no second mesh begins, a backup brings it back."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from e2e.mesh.processes import MESHEXT, wait_for
from e2e.mesh.shop import shop
from e2e.mesh.world import World, mesh
from meshext_controlplane.state.store import FILE

pytestmark = [pytest.mark.envoy, pytest.mark.slow]


def test_a_lost_state(tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with mesh(tmp_path, shop("checkout")) as world:
        world.add("checkout-1")
        caller = world.add("storefront-1")
        wait_for("calls are answered", lambda: caller.reaches("checkout"))
        run("backup", str(copy), "--state", str(world.state))
        world.control_plane.kill()
        assert run("restore", str(copy), "--state", str(world.state)).returncode == 2  # there is one
        (world.state / FILE).unlink()

        world.control_plane.restart()
        assert world.control_plane.process.wait(60) == 2
        complaint = world.control_plane.text.splitlines()[-1]
        assert "a control plane has run here" in complaint
        assert f"meshext restore BACKUP --state {world.state}, or --init" in complaint
        assert caller.reaches("checkout")

        assert run("restore", str(copy), "--state", str(world.state)).returncode == 0
        world.control_plane.restart()
        wait_for("all are synced again", lambda: connected(world) == 2 and world.synced())
        assert caller.reaches("checkout")
        world.add("checkout-2")
        wait_for("another joins", lambda: connected(world) == 3 and world.synced())
        assert caller.reaches("checkout")


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*MESHEXT, *words], capture_output=True, text=True, timeout=60)


def connected(world: World) -> int:
    return len(world.ask("proxy-status") or [])
