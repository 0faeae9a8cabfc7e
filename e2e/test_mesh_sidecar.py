"""Sidecars beside the real control plane: one leaves, one is killed, the control plane goes away."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psutil
import pytest

from e2e.mesh.processes import wait_for
from e2e.mesh.shop import shop
from e2e.mesh.world import Member, World, mesh

pytestmark = [pytest.mark.envoy, pytest.mark.slow]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with mesh(tmp_path_factory.mktemp("mesh"), shop("checkout", "storefront")) as made:
        for name in ("storefront-1", "checkout-1", "checkout-2"):
            made.add(name)
        wait_for("both instances are called", lambda: callees(made) == {"checkout-1", "checkout-2"})
        yield made


def member(world: World, name: str) -> Member:
    return next(each for each in world.members if each.name == name)


def call(world: World) -> tuple[int, str]:
    """One call of the storefront: its status, and who answered."""
    try:
        found = member(world, "storefront-1").call("http://checkout/")
    except OSError:
        return 0, ""
    return found["status"], json.loads(found["body"])["name"] if found["status"] == 200 else found["body"]


def callees(world: World, count: int = 20) -> set[str]:
    try:
        return {call(world)[1] for _ in range(count)}
    except FileNotFoundError:  # the storefront's application is not there yet
        return set()


@contextmanager
def load(world: World, *, among: int = 4) -> Iterator[list[tuple[int, str]]]:
    """Calls all the time; what was not answered well, once the block has ended."""
    failed: list[tuple[int, str]] = []
    done = threading.Event()
    made = [0] * among

    def repeat(caller: int) -> None:
        while not done.is_set():
            answer = call(world)
            made[caller] += 1
            if answer[0] != 200:
                failed.append(answer)

    with ThreadPoolExecutor(among) as pool:
        callers = [pool.submit(repeat, number) for number in range(among)]
        wait_for("calls are made", lambda: min(made) > 3)
        try:
            yield failed
            before = sum(made)
            wait_for("calls are made after it", lambda: sum(made) > before + 4 * among)
        finally:
            done.set()
        for each in callers:
            each.result()


def test_one_that_leaves_under_load_fails_no_call(world: World) -> None:
    leaving = world.add("checkout-3")
    wait_for("it is called", lambda: "checkout-3" in callees(world))
    with load(world) as failed:
        assert leaving.process.stop() == 0
    assert failed == []
    assert callees(world) == {"checkout-1", "checkout-2"}
    world.members.remove(leaving)


def test_a_control_plane_that_is_killed_fails_no_call(world: World) -> None:
    with load(world) as failed:
        world.control_plane.kill()
        one = member(world, "storefront-1")
        wait_for("its sidecar has noticed", lambda: one.process.says("configuration stays as it is"))
        world.control_plane.restart()
        wait_for("all are back", world.synced)
    assert failed == []


def test_a_sidecar_starts_without_the_control_plane(world: World) -> None:
    world.control_plane.kill()
    one = member(world, "checkout-1")
    one.process.stop()
    one.process.restart()
    wait_for("Envoy is ready again", lambda: one.process.text.count("Envoy is ready") == 2)
    wait_for("it is called", lambda: "checkout-1" in callees(world))
    assert "stored resources are used" in one.process.text
    world.control_plane.restart()
    wait_for("all are back", world.synced)


def test_one_that_leaves_without_the_control_plane_fails_no_call(world: World) -> None:
    """Nobody is told that it leaves; a second try, which every route has, goes to the other one."""
    one = member(world, "checkout-2")
    world.control_plane.kill()
    wait_for("its sidecar has noticed", lambda: one.process.says("configuration stays as it is"))
    with load(world) as failed:
        assert one.process.stop() == 0
        assert callees(world) == {"checkout-1"}
    assert failed == []
    one.process.restart()
    wait_for("it is called again", lambda: "checkout-2" in callees(world))
    world.control_plane.restart()
    wait_for("all are back", world.synced)


def test_an_agent_that_is_killed_comes_back_without_a_token(world: World) -> None:
    one = member(world, "checkout-2")
    one.process.kill()
    one.process.restart()
    wait_for("it is called again", lambda: callees(world) == {"checkout-1", "checkout-2"})
    assert "the token is not used" in one.process.text
    started = psutil.Process(one.process.process.pid).children(recursive=True)
    assert len(started) >= 2  # Envoy and the application
    assert all("MESHEXT_TOKEN" not in each.environ() for each in started)
