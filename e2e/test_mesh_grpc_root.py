"""Another root while clients and servers without an Envoy talk, with new connections at every step."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.mesh.dialing import Dialer, add_dialer, add_greeter, add_server, grpc_shop
from e2e.mesh.processes import Process, wait_for
from e2e.mesh.world import World, mesh
from e2e.test_mesh_root import count, roots, rotate

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

BEHIND, BARE = "xds:///behind.shop:50051", "xds:///bare.shop:50051"
LIFE = 80  # seconds: workloads follow within a twentieth of it


@pytest.fixture
def town(tmp_path: Path) -> Iterator[tuple[World, Dialer]]:
    with mesh(tmp_path, grpc_shop("behind", "bare"), "--svid-life", str(LIFE)) as world:
        add_greeter(world, "behind-1")
        add_server(world, "bare-1")
        dialer = add_dialer(world, "caller-1")
        for target in (BEHIND, BARE):
            wait_for(f"{target} answers", lambda: dialer.reaches(target))  # noqa: B023
        yield world, dialer


@pytest.mark.timeout(400)
def test_no_handshake_is_refused(town: tuple[World, Dialer]) -> None:
    world, dialer = town
    old = roots(world)
    command = rotate(world, "rotation")
    for number, stage in ((2, "trusted beside the old one"), (3, "the new root issues")):
        wait_for(stage, lambda: stage in command.text)  # noqa: B023
        with held(command):  # the next step waits for who is in the mesh, not for who has a token
            meet(world, dialer, number)
    wait_for("the old one is gone", lambda: command.process.poll() is not None, patience=180)
    meet(world, dialer, 4)
    assert (command.process.returncode, len(roots(world)), roots(world) & old) == (0, 1, set())
    behind = [each for each in world.members if each.name.startswith("behind")]
    assert [count(each, "fail_verify") for each in behind] == [0] * len(behind)


@contextmanager
def held(command: Process) -> Iterator[None]:
    """The command stands still meanwhile."""
    command.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        command.process.send_signal(signal.SIGCONT)


def meet(world: World, dialer: Dialer, number: int) -> None:
    """Who comes now, with a certificate of now, is called by who was there, and calls who was there."""
    add_greeter(world, f"behind-{number}")
    add_server(world, f"bare-{number}")
    newcomer = add_dialer(world, f"caller-{number}")
    for target, name in ((BEHIND, "behind"), (BARE, "bare")):
        wait_for(f"{name}-{number} is called", lambda: f"{name}-{number}" in called(dialer, target))  # noqa: B023
        wait_for("the newcomer is there", lambda: newcomer.reaches(target))  # noqa: B023
        wait_for("it calls the first", lambda: f"{name}-1" in called(newcomer, target))  # noqa: B023


def called(dialer: Dialer, target: str) -> set[str]:
    """Who answers it, in calls enough for everybody's turn; none of them may fail."""
    found = set(dialer.tally(target, 20))
    assert not any(map(str.isupper, found)), found  # a code
    return found
