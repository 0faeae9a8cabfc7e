"""`meshext rollout` over a mesh of real Envoys and a real Prometheus: forward, resumed, back at once."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from e2e.mesh.processes import MESHEXT, wait_for
from e2e.mesh.shop import STRICT, service
from e2e.mesh.world import Member, World, mesh
from e2e.prometheus import prometheus
from tests.ports import free_port

pytestmark = [pytest.mark.envoy, pytest.mark.slow, pytest.mark.timeout(300)]

SUBSETS = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec:
  host: reviews
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
"""
ROUTE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec:
  hosts: [reviews]
  http: [{route: [{destination: {host: reviews, subset: v1}}]}]
"""
PACE = ("--steps=20,60,100", "--hold=2s", "--every=1s", "--min-requests=20", "--max-slower=100")


@contextmanager
def calling(member: Member) -> Iterator[Counter[int]]:
    """Calls without a pause; statuses so far."""
    statuses: Counter[int] = Counter()
    done = threading.Event()

    def run() -> None:
        while not done.is_set():
            statuses[member.call("http://reviews/")["status"]] += 1

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield statuses
    finally:
        done.set()
        thread.join()


def start(world: World, url: str, *options: str) -> subprocess.Popen[str]:
    """The command, which tells JSON lines."""
    words = ("rollout", "shop/reviews", "--canary=v2", f"--prometheus={url}", *PACE, "--json", *options)
    command = [*MESHEXT, *words, "--state", str(world.state)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(running: subprocess.Popen[str]) -> tuple[int, list[dict[str, Any]]]:
    """Its exit code and what it told."""
    out, err = running.communicate(timeout=120)
    assert running.returncode in (0, 1), err
    return running.returncode, [json.loads(line) for line in out.splitlines()]


def first(running: subprocess.Popen[str], event: str, weight: int) -> None:
    """Read on until it tells that."""
    assert running.stdout is not None
    for line in running.stdout:
        told = json.loads(line)
        if (told["event"], told["weight"]) == (event, weight):
            return
    raise AssertionError(f"it has ended without {event} {weight}")


def served(world: World) -> str:
    """The VirtualService's text."""
    (found,) = world.ask("get", "VirtualService", "shop/reviews")
    text: str = found["text"]
    return text


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    documents = {"shop.yaml": "---\n".join([service("reviews"), service("web"), STRICT, SUBSETS])}
    with mesh(tmp_path, documents) as world:
        yield world


def test_rollout(world: World, tmp_path: Path, prometheus_program: str) -> None:
    stats = free_port()
    web = world.add("web-1", "--stats", f"127.0.0.1:{stats}")
    world.add("reviews-v1", account="reviews", labels={"version": "v1"})
    canary = world.add("reviews-v2", account="reviews", labels={"version": "v2"})
    route = tmp_path / "route.yaml"
    route.write_text(ROUTE)
    applied = subprocess.run([*MESHEXT, "apply", "-f", str(route), "--state", str(world.state)], check=False)
    assert applied.returncode == 0
    wait_for("calls are answered", lambda: web.reaches("reviews"))
    folder = tmp_path / "prometheus"
    folder.mkdir()
    with prometheus(prometheus_program, stats, folder) as judge, calling(web) as statuses:
        url = f"http://127.0.0.1:{judge.port}"

        killed = start(world, url)
        first(killed, "began", 20)
        killed.kill()
        killed.communicate()
        assert "meshext.dev/rollout" in served(world)

        code, told = finish(start(world, url))
        assert (code, told[0]["event"], told[0]["weight"]) == (0, "resumed", 20)
        assert [each["next_weight"] for each in told[1:] if each["event"] != "hold"] == [60, 100, 100]
        assert told[-1]["canary"]["requests"] >= 20
        assert served(world).count("weight: 100") == served(world).count("weight: 0") == 1
        assert "meshext.dev/rollout" not in served(world)
        assert set(statuses) == {200}

        by_hand = subprocess.run(
            [*MESHEXT, "rollout", "shop/reviews", "--canary=v2", "--abort", "--state", str(world.state)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert by_hand.stdout == "shop/reviews: everything goes to v1\n"

        worse = start(world, url)
        first(worse, "forward", 20)
        (canary.folder / "failing").touch()
        code, told = finish(worse)
        assert (code, told[-1]["event"], told[-1]["next_weight"]) == (1, "back", 0)
        wait_for("all is well again", lambda: all(web.reaches("reviews") for _ in range(50)))
    assert statuses[500] < statuses[200]


@pytest.fixture
def prometheus_program() -> str:
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("Debian's prometheus is not here")
    return program
