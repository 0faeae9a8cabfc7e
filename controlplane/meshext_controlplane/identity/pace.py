"""How often somebody may ask: what costs little once can cost all there is."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from meshext_controlplane.identity.errors import BusyError


class Pace:
    """At most `most` in each `period` (seconds) by one asker. For one event loop."""

    def __init__(self, most: int, period: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._period = period
        self._clock = clock
        self._until = 0.0
        self._asked: Counter[str] = Counter()

    def note(self, who: str) -> None:
        """One question; BusyError where it is one too many."""
        now = self._clock()
        if now >= self._until:
            self._until = now + self._period
            self._asked.clear()
        self._asked[who] += 1
        if self._asked[who] > self._most:
            raise BusyError(f"more than {self._most} within {self._period:g} s; try again later")
