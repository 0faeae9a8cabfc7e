"""What runs as long as a workload's agent does: tasks of which one that fails ends all."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Parts:
    """Tasks by name, of one event loop."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, name: str, part: Coroutine[Any, Any, None]) -> None:
        """Run one from now on."""
        self._tasks.append(asyncio.create_task(part, name=name))

    async def first(self, *awaited: Coroutine[Any, Any, object]) -> None:
        """Until one of these is done; what a part has failed with is raised."""
        waiting: list[asyncio.Task[Any]] = [asyncio.create_task(each) for each in awaited]
        try:
            await asyncio.wait([*waiting, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
            for part in self._tasks:
                if part.done():
                    part.result()
        finally:
            for each in waiting:
                each.cancel()

    async def end(self) -> None:
        """End them all."""
        for part in self._tasks:
            part.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def unless(event: asyncio.Event, doing: asyncio.Future[T]) -> T | None:
    """What `doing` gives; None, and its end, where the event comes first."""
    waiting = asyncio.ensure_future(event.wait())
    either: set[asyncio.Future[Any]] = {waiting, doing}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        return doing.result() if doing.done() else None
    finally:
        waiting.cancel()
        if not doing.done():
            doing.cancel()
            await asyncio.gather(doing, return_exceptions=True)
