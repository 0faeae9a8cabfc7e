"""Another root while the mesh runs: old and new certificates meet in both directions."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.mesh.processes import MESHEXT, wait_for
from e2e.mesh.shop import shop
from e2e.mesh.world import Member, World, mesh

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

NAMES = ("checkout", "storefront", "search")


def test_two_roots(tmp_path: Path) -> None:
    with mesh(tmp_path, shop(*NAMES)) as world:
        old, other = (world.add(f"{name}-1") for name in NAMES[:2])
        wait_for("calls are answered", lambda: other.reaches("checkout") and old.reaches("storefront"))
        with calling(other, "checkout") as refused:
            rotate(world)
            wait_for("both know both", lambda: all("2 roots" in each.process.text for each in (old, other)))
            rotate(world, "--now")
            new = world.add("search-1")
            wait_for("the new one is called", lambda: old.reaches("search") and other.reaches("search"))
            wait_for("and calls", lambda: new.reaches("checkout") and new.reaches("storefront"))
            world.control_plane.kill()
            world.control_plane.restart()
            wait_for("all are back", lambda: len(world.ask("proxy-status") or []) == 3 and world.synced())
            assert rotate(world) == 1  # the old ones still have certificates of the old root
        assert refused == []


@contextmanager
def calling(member: Member, host: str) -> Iterator[list[int]]:
    """Calls without a pause; the statuses of those that failed."""
    failed: list[int] = []
    done = threading.Event()

    def run() -> None:
        while not done.is_set():
            status = member.call(f"http://{host}/")["status"]
            if status != 200:
                failed.append(status)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield failed
    finally:
        done.set()
        thread.join()


def rotate(world: World, *options: str) -> int:
    return subprocess.run(
        [*MESHEXT, "rotate-root", "--state", str(world.state), *options], timeout=60
    ).returncode
