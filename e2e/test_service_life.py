"""What happens to open exchanges when the service drains, sheds or loses a worker, with the real Envoy."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from e2e.stage import Stage, Timed, report, staged, wait_for
from e2e.test_service_death import children, gone, pids
from e2e.under_load import Got, under_load
from meshext.needs import FailureMode
from meshext.plan import Mode

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

SPECS = {
    ("authz", "closed"): "misbehaving.py:Requests",
    ("authz", "open"): "misbehaving.py:OpenRequests",
    ("proc", "closed"): "misbehaving.py:Everywhere",
    ("proc", "open"): "misbehaving.py:OpenEverywhere",
}


def open_many(stage: Stage, pool: ThreadPoolExecutor, count: int, delay: int) -> list[Future[Timed]]:
    """So many exchanges that wait for their upstream, all of them seen by the filter."""
    found = [pool.submit(stage.timed, target=f"/delay/{delay}?number={n}") for n in range(count)]
    for number in range(count):
        stage.logged(f"saw /delay/{delay}?number={number}")
    return found


@pytest.mark.parametrize("mode", ["authz", "proc"])
def test_drain_cuts_nothing_while_time_remains(mode: Mode) -> None:
    with (
        staged(SPECS[mode, "closed"], mode=mode, workers=2, connection_age=1.0) as stage,
        ThreadPoolExecutor(20) as pool,
    ):
        _, supervisor = pids(stage)
        family = children(supervisor)
        slow = open_many(stage, pool, 20, 2500)
        os.kill(supervisor, signal.SIGTERM)
        got = [each.result(60) for each in slow]
        assert Counter(each.status for each in got) == {200: 20}
        assert all(each.answer is not None and each.answer.header("x-early") == "kept" for each in got)
        assert wait_for(lambda: all(map(gone, family)))


@pytest.mark.parametrize("policy", ["closed", "open"])
def test_what_a_short_drain_cuts_gets_the_declared_mode(policy: FailureMode) -> None:
    """Closed: the response that no hook has seen is a 500. Open: it passes. Never a mix, never a wait."""
    with (
        staged(SPECS["proc", policy], mode="proc", drain=0.3, connection_age=1.0) as stage,
        ThreadPoolExecutor(20) as pool,
    ):
        _, supervisor = pids(stage)
        slow = open_many(stage, pool, 10, 2000)
        os.kill(supervisor, signal.SIGTERM)
        got = [each.result(60) for each in slow]
        expected = 500 if policy == "closed" else 200
        assert Counter(each.status for each in got) == {expected: 10}
        assert max(each.took for each in got) < 10


@pytest.mark.parametrize("policy", ["closed", "open"])
@pytest.mark.parametrize("mode", ["authz", "proc"])
def test_what_is_shed_gets_the_declared_mode(mode: Mode, policy: FailureMode, tmp_path: Path) -> None:
    """As many as may be open are held in their hooks; all others are answered at once, and alike."""
    spec = "held.py:Holds" if policy == "closed" else "held.py:HoldsOpen"
    config = json.dumps({"until": f"{tmp_path}/go"})
    with (
        staged(spec, mode=mode, max_in_flight=5, configs=(config,)) as stage,
        ThreadPoolExecutor(40) as pool,
    ):
        held = [pool.submit(stage.timed, target=f"/{n}", headers=[("x-hold", "1")]) for n in range(5)]
        for number in range(5):
            stage.logged(f"holds /{number}")
        more = [pool.submit(stage.timed, target="/more") for _ in range(40)]
        shed = Counter((each.result(60).status, seen(each.result())) for each in more)
        assert shed == {(500 if policy == "closed" else 200, False): 40}
        assert max(each.result().took for each in more) < stage.sandbox.plan.timeout
        (tmp_path / "go").touch()
        assert Counter((each.result(60).status, seen(each.result())) for each in held) == {(200, True): 5}
        assert seen(stage.timed())


def seen(got: Timed) -> bool:
    """Whether the filter has seen it, and nobody else put its mark there."""
    return got.answer is not None and got.answer.header("x-seen") == "yes"


def by_sight(got: Got) -> str:
    """The status, and whether the filter has seen the request."""
    return f"{got.status} {'seen' if got.header('x-early') == 'kept' else 'unseen'}"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("policy", ["closed", "open"])
def test_one_worker_of_two_is_lost_under_load(policy: FailureMode, how: signal.Signals) -> None:
    """Its own open exchanges get the declared mode; the others never notice."""
    with staged(SPECS["proc", policy], mode="proc", workers=2, log_level="debug") as stage:
        worker, _ = pids(stage)
        stage.logged("is loaded and waits")

        with under_load(stage.port, target="/delay/20", judge=by_sight) as load:
            assert wait_for(lambda: load.count > 100)
            os.kill(worker, how)
            assert wait_for(lambda: gone(worker), limit=15.0)
            before = load.kinds["200 seen"]
            assert wait_for(lambda: load.kinds["200 seen"] > before + 200, limit=60.0)
            calm = Counter(load.kinds)
            assert wait_for(lambda: load.kinds["200 seen"] > calm["200 seen"] + 100, limit=60.0)
        kinds = dict(load.kinds)
        report(f"{policy}, {how.name}: {kinds}, {load.longest:.2f} s at most")
        lost = {"500 unseen", "504 unseen", "500 seen", "504 seen"} if policy == "closed" else {"200 unseen"}
        assert set(kinds) <= {"200 seen"} | lost
        assert load.kinds == calm + Counter({"200 seen": load.kinds["200 seen"] - calm["200 seen"]})
