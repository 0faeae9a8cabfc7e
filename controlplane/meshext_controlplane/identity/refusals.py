"""Refusals in the log: told, and not so often that a stranger fills a disk with them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

MOST = 20
PERIOD = 10.0
"""At most that many lines in so many seconds."""

log = logging.getLogger("meshext.identity")


class Refusals:
    """Logs each refusal until there are too many, then how many were left out. For one event loop."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = 0.0
        self._told = 0
        self._left_out = 0

    def tell(self, peer: str, reason: object) -> None:
        """One refusal."""
        now = self._clock()
        if now >= self._until:
            if self._left_out:
                log.warning("refused %d more, which are not listed", self._left_out)
            self._until, self._told, self._left_out = now + PERIOD, 0, 0
        if self._told < MOST:
            self._told += 1
            log.warning("refused %s: %s", peer, reason)
        else:
            self._left_out += 1
