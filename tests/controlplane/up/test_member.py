"""Processes: started again when they fail, told with their last lines, stopped with all their children."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from meshext_controlplane.up.errors import UpError
from meshext_controlplane.up.events import Event
from meshext_controlplane.up.log_file import LARGEST, LogFile
from meshext_controlplane.up.member import Member

FAILING = "import sys; print('so it was'); sys.exit(3)"
STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child == 0:
    time.sleep(1000)
print("child", child, flush=True)
time.sleep(1000)
"""
LEAVING = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    print("child", os.getpid(), flush=True)
    time.sleep(60)
sys.exit(3)
"""


def member(tmp_path: Path, script: str) -> Member:
    command = [sys.executable, "-c", script]
    return Member("it", command, tmp_path / "logs" / "it.log", environment={"A": "1"}, folder=tmp_path)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 (a process tells nobody)
            await asyncio.sleep(0.01)


def test_one_that_fails_is_started_again_and_told_each_time(tmp_path: Path) -> None:
    events: list[Event] = []

    async def play() -> None:
        failing = member(tmp_path, FAILING)
        await failing.start()
        keeping = asyncio.create_task(failing.keep(events.append))
        await until(lambda: len(events) >= 3)
        keeping.cancel()
        await failing.stop(5)

    asyncio.run(play())
    assert [event.kind for event in events[:3]] == ["ended", "restarted", "ended"]
    assert events[0].text == "it ended with 3; it starts again in 0.5 s"
    assert events[2].text == "it ended with 3; it starts again in 1 s"
    assert events[0].lines == ("so it was",)
    assert events[0].to_json()["name"] == "it"
    assert (tmp_path / "logs" / "it.log").read_text().count("so it was\n") >= 2


def test_one_that_is_done_stays_so(tmp_path: Path) -> None:
    events: list[Event] = []

    async def play() -> None:
        done = member(tmp_path, "pass")
        await done.start()
        await done.keep(events.append)
        await done.stop(5)

    asyncio.run(play())
    assert [event.text for event in events] == ["it is done"]


def test_a_start_that_fails_is_told_with_its_last_lines(tmp_path: Path) -> None:
    async def play() -> None:
        failing = member(tmp_path, FAILING)
        await failing.start()
        try:
            await until(lambda: _raises(failing))
            failing.check()
        finally:
            await failing.stop(5)

    with pytest.raises(UpError) as told:
        asyncio.run(play())
    assert str(told.value) == f"it ended with 3; the end of {tmp_path}/logs/it.log:\n    so it was"


def _raises(failing: Member) -> bool:
    try:
        failing.check()
    except UpError:
        return True
    return False


def test_one_that_does_not_listen_is_killed_with_its_children(tmp_path: Path) -> None:
    async def play() -> int:
        stubborn = member(tmp_path, STUBBORN)
        await stubborn.start()
        await until(lambda: "child" in "".join(stubborn.last_lines()))
        child = int(stubborn.last_lines()[-1].split()[-1])
        await stubborn.stop(0.1)
        await until(lambda: not alive(child))
        return child

    assert not alive(asyncio.run(play()))


def test_one_that_ends_is_not_kept_by_a_child_that_goes_on(tmp_path: Path) -> None:
    events: list[Event] = []

    async def play() -> None:
        leaving = member(tmp_path, LEAVING)
        await leaving.start()
        keeping = asyncio.create_task(leaving.keep(events.append))
        await until(lambda: bool(events))
        keeping.cancel()
        await leaving.stop(5)
        for line in leaving.last_lines():
            os.kill(int(line.split()[-1]), signal.SIGKILL)

    asyncio.run(play())
    assert events[0].text == "it ended with 3; it starts again in 0.5 s"


def alive(pid: int) -> bool:
    """Whether a process is there and no mere entry in its parent's table."""
    with suppress(OSError):
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_a_log_file_does_not_grow_without_end(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "it.log")
    line = b"x" * (LARGEST // 8)
    for _ in range(20):
        log.write(line)
    log.close()
    sizes = [path.stat().st_size for path in (tmp_path / "it.log", tmp_path / "it.log.1")]
    assert max(sizes) <= LARGEST + 2 * len(line)
    assert {path.name for path in tmp_path.iterdir()} == {"it.log", "it.log.1"}
