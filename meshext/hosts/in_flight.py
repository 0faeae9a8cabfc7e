"""How many exchanges are open in this worker, and how many may be."""

from __future__ import annotations

import asyncio

from meshext.engine.observer import Mode, Observer
from meshext.hosts.options import MAX_IN_FLIGHT

REASON = "in_flight"


class InFlight:
    """Counts open exchanges. One above the limit is turned away at once, so that memory stays bounded."""

    def __init__(self, limit: int = MAX_IN_FLIGHT, observer: Observer | None = None) -> None:
        self.open = 0
        self._limit = limit
        self._observer = observer
        self._emptied: asyncio.Event | None = None  # only where somebody waits

    def enter(self, mode: Mode) -> bool:
        """An exchange begins; False where it has to be turned away."""
        if self.open >= self._limit:
            if self._observer is not None:
                self._observer.shed(mode, REASON)
            return False
        self.open += 1
        return True

    def leave(self) -> None:
        """An exchange that was let in has ended."""
        self.open -= 1
        if not self.open and self._emptied is not None:
            self._emptied.set()

    async def empty(self) -> None:
        """Wait until none is open."""
        while self.open:
            if self._emptied is None or self._emptied.is_set():
                self._emptied = asyncio.Event()
            await self._emptied.wait()
