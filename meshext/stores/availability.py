"""One log line when a store is lost and one when it is back, however many calls fail in between."""

from __future__ import annotations

import asyncio
import logging

log = logging.getLogger("meshext.store")

SETTLED = 1.0  # seconds a store has to hold before it counts as back, so that a flapping one fills no log


class Availability:
    """What the log is told about one store; to be used on its event loop."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lost_at: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def lost(self, reason: str) -> None:
        """It can not be used."""
        self.forget()
        if self._lost_at is None:
            self._lost_at = asyncio.get_running_loop().time()
            log.warning(
                "%s is away (%s); until it is back, its calls fail and each filter's `failure` decides",
                self._name,
                reason,
            )

    def back(self) -> None:
        """It can be used; said once it has been so for a while."""
        if self._lost_at is not None and self._timer is None:
            loop = asyncio.get_running_loop()
            away = loop.time() - self._lost_at
            self._timer = loop.call_later(SETTLED, self._tell_back, away)

    def forget(self) -> None:
        """Say nothing any more about the time so far."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tell_back(self, away: float) -> None:
        self._timer, self._lost_at = None, None
        log.warning("%s is back, after %.1f s", self._name, away)
