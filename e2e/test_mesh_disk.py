"""The disk of the control plane's state is full, or read-only: the mesh goes on, who writes is told why."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from e2e.mesh.processes import MESHEXT, wait_for
from e2e.mesh.shop import shop
from e2e.mesh.world import OUTBOUND, PORT, World, mesh
from e2e.under_load import CLIENTS, under_load

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

TEAPOT = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}, namespace: shop}}
spec:
  hosts: [{name}]
  http: [{{directResponse: {{status: {status}}}}}]
"""
SIZE = "4m"
RO, RW = "remount,ro", "remount,rw"


@contextmanager
def disk(place: Path) -> Iterator[None]:
    """A small file system of its own, there."""
    place.mkdir()
    if os.geteuid() or mount("-t", "tmpfs", "-o", f"size={SIZE}", "none", str(place)):
        pytest.skip("mounting is not allowed here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def mount(*words: str) -> int:
    return subprocess.run(["mount", *words], capture_output=True).returncode


def fill(place: Path) -> Path:
    """A file that takes all that is left."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (4096, 1):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))
    return ballast


@contextmanager
def read_only(place: Path) -> Iterator[None]:
    """Nothing there can be opened to be written, as on a disk that the kernel has made read-only under us.

    A remount would be refused as long as files are open; a second, read-only mount over it is not.
    """
    assert mount("--bind", str(place), str(place)) == 0
    try:
        assert mount("-o", f"{RO},bind", str(place)) == 0
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with disk(tmp_path / "state"), mesh(tmp_path, shop("checkout", "storefront", "other")) as made:
        made.add("checkout-1")
        made.add("storefront-1")
        wait_for("the storefront reaches the checkout", lambda: made.members[1].reaches("checkout"))
        wait_for("all are synced", made.synced)
        yield made


def told(world: World, *words: str, text: str = "") -> tuple[int, str]:
    """The exit code of a command, and what it said."""
    command = [*MESHEXT, *words, "--state", str(world.state)]
    done = subprocess.run(
        command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60
    )
    assert "Traceback" not in done.stdout
    return done.returncode, done.stdout


def apply(world: World, name: str, status: int) -> tuple[int, str]:
    return told(world, "apply", "-f", "-", text=TEAPOT.format(name=name, status=status))


def answers(world: World, host: str, status: int) -> bool:
    return bool(world.members[1].call(f"http://{host}/")["status"] == status)


def refused_to_start(world: World, why: str) -> None:
    """A control plane has to write down which certificate it shows; without, it says why, and ends."""
    world.control_plane.restart()
    assert world.control_plane.process.wait(60) == 2
    assert why in world.control_plane.text.splitlines()[-1]


def test_a_full_disk(world: World) -> None:
    storefront = world.members[1]
    assert apply(world, "storefront", 418)[0] == 0
    with under_load(OUTBOUND, address=storefront.address, host="checkout") as load:
        ballast = fill(world.state)
        code, said = apply(world, "storefront", 419)
        assert (code, "full: make room" in said) == (1, True), said
        assert answers(world, "storefront", 418)
        code, said = told(world, "token", "create", "--namespace", "shop", "--service-account", "a")
        assert (code, "full: make room" in said) == (2, True), said
        world.write("other.yaml", TEAPOT.format(name="other", status=420))
        wait_for("an edit of the folder is served", lambda: answers(world, "other", 420))
        world.members[0].process.kill()
        world.members[0].process.restart()
        wait_for("a workload comes back", lambda: load.kinds["200"] > 0 and world.synced())
        world.control_plane.kill()
        refused_to_start(world, "full: make room")
        assert answers(world, "storefront", 418)
        ballast.unlink()
        world.control_plane.restart()
        wait_for("all are synced again", world.synced)
        assert answers(world, "storefront", 418)
        assert apply(world, "storefront", 419)[0] == 0
        wait_for("there is room", lambda: answers(world, "storefront", 419))
        count = load.kinds["200"]
        wait_for("calls go on", lambda: load.kinds["200"] > count + 100)
    # The only checkout was killed: a call whose answer had begun then is cut.
    assert set(load.kinds) <= {"200", "503", "broken"}
    assert load.kinds["broken"] <= CLIENTS


def test_a_disk_that_is_read_only(world: World) -> None:
    storefront = world.members[1]
    assert apply(world, "storefront", 418)[0] == 0
    wait_for("it is served", lambda: answers(world, "storefront", 418))
    with under_load(OUTBOUND, address=storefront.address, host="checkout") as load:
        world.control_plane.kill()
        assert mount("-o", RO, str(world.state)) == 0
        refused_to_start(world, "Read-only file system")
        assert answers(world, "storefront", 418)
        assert mount("-o", RW, str(world.state)) == 0
        world.control_plane.restart()
        wait_for("all are synced again", world.synced)
        assert answers(world, "storefront", 418)
    assert set(load.kinds) == {"200"}


def test_a_disk_that_becomes_read_only(world: World) -> None:
    storefront, why = world.members[1], "is read-only, or its disk is; nothing was written"
    assert apply(world, "storefront", 418)[0] == 0
    wait_for("it is served", lambda: answers(world, "storefront", 418))
    token = world.token("shop", "late", {"app": "late"}, PORT)
    with under_load(OUTBOUND, address=storefront.address, host="checkout") as load:
        with read_only(world.state):
            for code, said in (
                apply(world, "storefront", 419),
                told(world, "delete", "VirtualService", "shop/storefront"),
                told(world, "ban", "spiffe://cluster.local/ns/shop/sa/other"),
            ):
                assert (code in (1, 2), why in said) == (True, True), said
            world.write("other.yaml", TEAPOT.format(name="other", status=420))
            wait_for("an edit of the folder is served", lambda: answers(world, "other", 420))
            assert answers(world, "storefront", 418)
            late = world.add("late-1", token=token)
            wait_for("who wants to join has to wait", lambda: late.process.says("trying again"))
            assert why in world.control_plane.text
        wait_for("the token was not used up", world.synced)
        assert apply(world, "storefront", 419)[0] == 0
        wait_for("it can be written again", lambda: answers(world, "storefront", 419))
        world.control_plane.kill()
        world.control_plane.restart()
        wait_for("all are synced again", world.synced)
        assert answers(world, "storefront", 419)
    assert set(load.kinds) == {"200"}
