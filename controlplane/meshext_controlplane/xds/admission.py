"""How fast new streams are let in, and how fast requests of one stream are read."""

from __future__ import annotations

import asyncio

import grpc

from meshext_controlplane.xds.errors import StreamEnded

STREAMS_PER_SECOND = 100.0
"""New streams; when a control plane comes back, 1,000 proxies come with it."""

MOST_WAITING = 2_000
"""New streams that wait for their turn; more are told to come again later."""

REQUESTS_PER_SECOND = 200.0
"""Requests of one stream. A proxy sends one for each push, and one for each change of names."""

REQUESTS_AT_ONCE = 500.0
"""Requests that may come together, before a stream is read at that rate."""


class Pace:
    """A token bucket: `wait` returns at once for `burst` calls, then at `rate` a second, in order."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = self._tokens = burst
        self._at = 0.0

    def take(self, now: float) -> float:
        """Take a place; gives how many seconds to wait for it."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate) - 1
        self._at = now
        return max(0.0, -self._tokens / self._rate)


class Admission:
    """New streams come in at a bounded rate; one that would wait too long is refused."""

    def __init__(self, *, rate: float = STREAMS_PER_SECOND, waiting: int = MOST_WAITING) -> None:
        self._pace = Pace(rate, rate)
        self._most = waiting
        self._waiting = 0

    async def enter(self) -> None:
        """Wait for one's turn; StreamEnded where too many do."""
        if self._waiting >= self._most:
            text = f"{self._waiting} streams wait already; try again later"
            raise StreamEnded(grpc.StatusCode.RESOURCE_EXHAUSTED, text)
        delay = self._pace.take(asyncio.get_running_loop().time())
        if delay > 0:
            self._waiting += 1
            try:
                await asyncio.sleep(delay)
            finally:
                self._waiting -= 1
