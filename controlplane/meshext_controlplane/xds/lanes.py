"""Large pushes run a few at a time: what waits for a proxy's answer is memory."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

LARGE = 64 << 10
"""Bytes from which on a push is large."""

BUDGET = 16 << 20
"""Bytes of large pushes that may be on their way together."""

PATIENCE = 5.0
"""Seconds after which a push that is not answered makes room for others."""


class Lanes:
    """A budget of bytes, given in the order of asking; `free` is what is left of it.

    A push that is greater than the whole budget goes alone.
    """

    def __init__(self, *, budget: int = BUDGET, patience: float = PATIENCE) -> None:
        self._budget = self.free = budget
        self._patience = patience
        self._queue: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def enter(self, size: int) -> Lane:
        """Wait for room; the lane is to be left."""
        size = min(size, self._budget)
        if self._queue or size > self.free:
            turn = asyncio.get_running_loop().create_future()
            self._queue.append((size, turn))
            try:
                await turn
            except asyncio.CancelledError:
                with suppress(ValueError):
                    self._queue.remove((size, turn))
                if turn.done() and not turn.cancelled():
                    self._give_back(size)
                raise
        else:
            self.free -= size
        return Lane(self, size, self._patience)

    def _give_back(self, size: int) -> None:
        self.free += size
        while self._queue and self._queue[0][0] <= self.free:
            next_size, turn = self._queue.popleft()
            if not turn.done():
                self.free -= next_size
                turn.set_result(None)


class Lane:
    """Room that one push has taken."""

    __slots__ = ("_lanes", "_size", "_timer")

    def __init__(self, lanes: Lanes, size: int, patience: float) -> None:
        self._lanes: Lanes | None = lanes
        self._size = size
        self._timer = asyncio.get_running_loop().call_later(patience, self.leave)

    def leave(self) -> None:
        """Make room; may be called again."""
        lanes, self._lanes = self._lanes, None
        if lanes is not None:
            self._timer.cancel()
            lanes._give_back(self._size)
