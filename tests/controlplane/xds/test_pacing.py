"""When to serve, how much at once, and how fast streams are let in."""

from __future__ import annotations

import asyncio

import pytest

from meshext_controlplane.xds.admission import Admission, Pace
from meshext_controlplane.xds.errors import StreamEnded
from meshext_controlplane.xds.gathering import Gathering
from meshext_controlplane.xds.lanes import Lanes

LONG = 1000.0  # seconds: longer than any test


def test_configuration_is_gathered() -> None:
    async def run() -> None:
        gathering = Gathering(quiet=0.01, longest=LONG)
        for _ in range(5):
            gathering.add("configuration")
        kind, since = await gathering.wait()
        assert (kind, since <= asyncio.get_running_loop().time()) == ("configuration", True)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(gathering.wait(), 0.05)

    asyncio.run(run())


def test_edits_without_end_are_served_in_between() -> None:
    async def run() -> None:
        gathering = Gathering(quiet=LONG, longest=0.05)
        gathering.add("configuration")
        await asyncio.wait_for(gathering.wait(), 10)

    asyncio.run(run())


def test_endpoints_do_not_wait() -> None:
    async def run() -> None:
        gathering = Gathering(quiet=LONG, longest=LONG)
        gathering.add("endpoints")
        assert (await asyncio.wait_for(gathering.wait(), 10))[0] == "endpoints"
        gathering.add("configuration")
        gathering.add("endpoints")
        assert (await asyncio.wait_for(gathering.wait(), 10))[0] == "configuration"

    asyncio.run(run())


def test_large_pushes_wait_for_room_in_turn() -> None:
    async def run() -> None:
        lanes = Lanes(budget=10, patience=LONG)
        first = await lanes.enter(6)
        waiting = [asyncio.create_task(lanes.enter(size)) for size in (6, 1, 100)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting), "a small one does not overtake"
        first.leave()
        first.leave()
        second, third = await waiting[0], await waiting[1]
        second.leave()
        await asyncio.sleep(0)
        assert not waiting[2].done(), "what is greater than all room goes alone"
        third.leave()
        (await waiting[2]).leave()
        assert lanes.free == 10

    asyncio.run(run())


def test_who_gives_up_waiting_leaves_its_place_to_others() -> None:
    async def run() -> None:
        lanes = Lanes(budget=10, patience=LONG)
        first = await lanes.enter(10)
        waiting = [asyncio.create_task(lanes.enter(10)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        first.leave()
        waiting[1].cancel()  # has been given room, and did not learn of it
        lane = await waiting[2]
        lane.leave()
        assert lanes.free == 10

    asyncio.run(run())


def test_a_proxy_that_does_not_answer_makes_room() -> None:
    async def run() -> None:
        lanes = Lanes(budget=10, patience=0.01)
        await lanes.enter(10)
        await asyncio.wait_for(lanes.enter(10), 10)

    asyncio.run(run())


def test_a_pace_lets_a_burst_through_and_then_one_after_the_other() -> None:
    pace = Pace(rate=10, burst=2)
    assert [pace.take(1000.0) for _ in range(4)] == [0, 0, 0.1, 0.2]
    assert pace.take(2000.0) == 0


def test_too_many_new_streams_are_told_to_come_later() -> None:
    async def run() -> None:
        admission = Admission(rate=1, waiting=1)
        await admission.enter()
        waiting = asyncio.create_task(admission.enter())
        await asyncio.sleep(0)
        with pytest.raises(StreamEnded, match="1 streams wait already"):
            await admission.enter()
        waiting.cancel()

    asyncio.run(run())
