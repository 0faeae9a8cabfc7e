"""The whole service dies, or is told to stop, while the real Envoy goes on."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from e2e.stage import Stage, echo, staged, wait_for
from meshext.needs import FailureMode
from meshext.plan import Mode

pytestmark = [pytest.mark.envoy, pytest.mark.slow]


def pids(stage: Stage) -> tuple[int, int]:
    """The worker that serves, and the supervisor."""
    worker, supervisor, _ = map(int, stage.send(target="/pid").text.split())
    return worker, supervisor


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


@pytest.mark.parametrize("policy", ["closed", "open"])
@pytest.mark.parametrize("mode", ["authz", "proc"])
def test_dead_service(mode: Mode, policy: FailureMode) -> None:
    """Its workers die with it, the spare too; what was open and what comes gets Envoy's failure mode."""
    prefix = "Open" if policy == "open" else ""
    with (
        staged(f"misbehaving.py:{prefix}Requests", mode=mode, log_level="debug") as stage,
        ThreadPoolExecutor() as pool,
    ):
        worker, supervisor = pids(stage)
        stage.logged("is loaded and waits")
        family = children(supervisor)
        assert worker in family
        assert len(family) == 2
        hanging = pool.submit(stage.timed, target="/delay/1000?open", headers=[("x-do", "sleep")])
        stage.logged("saw /delay/1000?open")
        os.kill(supervisor, signal.SIGKILL)
        assert wait_for(lambda: all(gone(pid) for pid in family), limit=2.0)
        expected = 500 if policy == "closed" else 200
        assert hanging.result(30).status == expected
        for _ in range(3):
            got = stage.send(target="/after", headers=[("x-keep", "1")])
            assert got.status == expected
            assert "x-early" not in dict(got.headers)
            if policy == "open":
                assert ["x-keep", "1"] in echo(got)["headers"]


@pytest.mark.parametrize("mode", ["authz", "proc"])
def test_stop_lets_open_exchanges_end(mode: Mode) -> None:
    """SIGTERM: the response that waits for its upstream still passes the filter."""
    spec = "misbehaving.py:Requests" if mode == "authz" else "misbehaving.py:Everywhere"
    with staged(spec, mode=mode, connection_age=1.0) as stage, ThreadPoolExecutor() as pool:
        worker, supervisor = pids(stage)
        slow = pool.submit(stage.send, target="/delay/700?open")
        stage.logged("saw /delay/700?open")
        os.kill(supervisor, signal.SIGTERM)
        got = slow.result(30)
        assert got.status == 200
        assert got.header("x-early") == "kept"
        assert wait_for(lambda: gone(worker) and gone(supervisor))
        assert stage.send().status == 500


def test_thread_that_lives_on_does_not_hold_the_stop_up_for_ever() -> None:
    with staged("misbehaving.py:Requests", mode="authz", connection_age=1.0) as stage:
        worker, supervisor = pids(stage)
        assert stage.send(headers=[("x-do", "thread"), ("x-for-ever", "1")]).status == 200
        os.kill(supervisor, signal.SIGTERM)
        assert wait_for(lambda: gone(worker) and gone(supervisor), limit=15.0)
        stage.logged("does a thread of a filter go on?")
