"""Redis killed, stopped and back behind a service in front of which the real Envoy stands."""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from e2e.stage import Stage, Timed, report, staged, wait_for
from meshext.needs import FailureMode
from meshext.plan import Mode
from meshext.stores.pipeline import PATIENCE
from tests.store.redis_server import RedisServer

pytestmark = [pytest.mark.alone, pytest.mark.envoy, pytest.mark.slow]

ROOM = 0.25  # seconds that a busy machine may add to a request
SOON = 1.0  # seconds after which a store that is back is used again
CLASSES: dict[FailureMode, str] = {"closed": "Limited", "open": "OpenLimited"}


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


def asked(got: Timed) -> bool:
    """Whether the store was asked."""
    return got.answer is not None and got.answer.header("x-remaining") is not None


def away(stage: Stage, policy: FailureMode, *, requests: int = 30) -> list[float]:
    """Requests while Redis is away: each gets the declared mode, and none waits; the times they took."""
    results = [stage.timed() for _ in range(requests)]
    assert {got.status for got in results} == {500 if policy == "closed" else 200}
    assert not any(asked(got) for got in results)
    assert max(got.took for got in results) < PATIENCE + ROOM
    return [got.took for got in results]


def back(stage: Stage, act: Callable[[], None]) -> float:
    """Let it come back; the seconds until it is used again."""
    act()
    begin = time.monotonic()
    assert wait_for(lambda: asked(stage.timed()))
    took = time.monotonic() - begin
    assert took < SOON + 2 * ROOM
    return took


@pytest.mark.parametrize("policy", ["closed", "open"])
@pytest.mark.parametrize("mode", ["authz", "proc"])
def test_redis_away_stopped_and_back(mode: Mode, policy: FailureMode, redis: RedisServer) -> None:
    """At the start, then killed, then stopped: the declared mode each time, at once, and never a mix."""
    redis.kill()
    with staged(f"limited.py:{CLASSES[policy]}", mode=mode, store=redis.url) as stage:
        times = away(stage, policy)
        returns = [back(stage, redis.start)]
        usual = [stage.timed() for _ in range(30)]
        assert any(asked(got) for got in usual)
        redis.kill()
        times += away(stage, policy)
        returns.append(back(stage, redis.start))
        redis.pause()
        times += away(stage, policy)
        returns.append(back(stage, redis.resume))
        losses = [line for line in stage.lines if "meshext.store " in line and "is away (" in line]
        assert 1 <= len(losses) <= 3  # one for each loss that the log had not yet called over
        assert not any("Traceback" in line for line in stage.lines)
    before = statistics.median(got.took for got in usual)
    assert statistics.median(times) < before + PATIENCE  # the first ones wait alone
    added = 1000 * (statistics.median(times) - before), 1000 * (max(times) - before)
    report(
        f"{mode} {policy}: away adds {added[0]:.1f} ms in the middle, {added[1]:.1f} at most; used again "
        f"after {', '.join(f'{took:.2f}' for took in returns)} s"
    )


@pytest.mark.parametrize("policy", ["closed", "open"])
def test_redis_killed_and_back_under_load(policy: FailureMode, redis: RedisServer) -> None:
    """Every answer is the limit's or the declared mode's, and the limit holds before and behind."""
    url = f"{redis.url}?patience=1"  # a busy machine must not look like a Redis that is away
    with staged(f"limited.py:{CLASSES[policy]}", store=url, workers=2) as stage:
        done = threading.Event()

        def repeat() -> list[Timed]:
            results = []
            while not done.is_set():
                results.append(stage.timed())
            return results

        with ThreadPoolExecutor(4) as pool:
            busy = [pool.submit(repeat) for _ in range(4)]
            time.sleep(0.3)
            redis.kill()
            time.sleep(0.5)
            redis.start()  # from this thread, as the server dies with the one that started it
            time.sleep(SOON)
            done.set()
        results = [got for each in busy for got in each.result()]
        failed = {(got.status, asked(got)) for got in results} - {(200, True)}
        assert failed == {(500, False) if policy == "closed" else (200, False)}
        assert max(got.took for got in results) < 1.0 + 2 * ROOM
        assert all(asked(stage.timed()) for _ in range(20))


def test_services_and_workers_share_one_limit(redis: RedisServer) -> None:
    """A service with two workers and one with one, on one Redis; then the memory of one with two."""
    config = (json.dumps({"rate": 60}),)
    with ExitStack() as stack:
        stages = [
            stack.enter_context(staged("limited.py:Limited", configs=config, workers=workers, store=url))
            for workers, url in ((2, f"{redis.url}?patience=5"), (1, f"{redis.url}?patience=5"), (2, ""))
        ]
        for sharing in (stages[:2], stages[2:]):
            passed, failed = count_passed(sharing)
            assert failed < 60
            assert 60 - failed <= passed <= 60  # what failed for want of time may have counted


def count_passed(stages: list[Stage]) -> tuple[int, int]:
    """Of 120 requests, how many passed and how many got no answer of the store in time."""
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda number: stages[number % len(stages)].timed(), range(120)))
    assert {got.status for got in results} <= {200, 429, 500}
    return sum(got.status == 200 for got in results), sum(got.status == 500 for got in results)
