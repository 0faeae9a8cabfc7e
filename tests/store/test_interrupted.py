"""A hook that is overdue is interrupted between any two steps, in the middle of a call of its store too."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Coroutine, Generator
from types import FrameType
from typing import Any

import pytest

from meshext.limits import Limit
from meshext.store import Store
from tests.store.places import InRedis, Memory, Shared
from tests.store.redis_server import RedisServer

STEPS = 2000  # more than any call takes


class Overdue(BaseException):
    """As the watch of hooks raises it."""


class Interrupted:
    """An awaitable that runs another and raises in it at the n-th line that it executes.

    Like a hook's time, lines are counted while it runs and not while it waits.
    """

    def __init__(self, call: Coroutine[Any, Any, object], line: int) -> None:
        self._call = call
        self._left = line

    def __await__(self) -> Generator[Any, Any, object]:
        while True:
            sys.settrace(self._trace)
            try:
                waits_for = self._call.send(None)
            except StopIteration as stop:
                return stop.value
            finally:
                sys.settrace(None)
            yield waits_for

    def _trace(self, frame: FrameType, event: str, _argument: object) -> Any:
        if event == "line":
            self._left -= 1
            if self._left == 0:
                raise Overdue
        return self._trace


@pytest.mark.parametrize("kind", ["shared", "redis"])
def test_no_call_gets_the_answer_to_another(kind: str, redis_server: RedisServer) -> None:
    """Wherever a call is broken off, those before and behind it get what they asked for."""
    with Shared() if kind == "shared" else InRedis(redis_server) as place:
        place.run(place.store.set("a", b"is a"))
        place.run(place.store.set("b", b"is b"))
        line = next(line for line in range(1, STEPS) if place.run(survives(place.store, line)))
        assert line > 30  # there was something to interrupt


async def survives(store: Store, line: int) -> bool:
    """Whether the call had fewer lines than that; the others are right in any case."""
    before = asyncio.create_task(store.get("a"))
    limit = Limit(key="k", algorithm="gcra", rate=9, window=60)
    whole = True
    try:
        await Interrupted(store.take([limit]), line)
    except Overdue:
        whole = False
    b, a = await asyncio.gather(store.get("b"), store.get("a"))
    assert (await before, b, a) == (b"is a", b"is b", b"is a")
    return whole


def test_a_first_call_that_is_interrupted_leaves_a_store_that_works(redis_server: RedisServer) -> None:
    for line in range(1, 80, 3):
        for place in (Shared(), InRedis(redis_server)):
            with place:
                place.run(first(place, line))


async def first(place: Memory, line: int) -> None:
    with contextlib.suppress(Overdue):
        await Interrupted(place.store.get("a"), line)
    assert await place.store.add("n") == 1
    assert await place.store.get("n") == b"1"
