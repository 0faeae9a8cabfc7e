"""Edits come in bursts: when to act on them."""

from __future__ import annotations

import asyncio
from typing import Literal

Kind = Literal["configuration", "endpoints"]

QUIET = 0.1
"""Seconds without an edit after which what was gathered is served."""

LONGEST = 10.0
"""Seconds after which it is served although edits go on."""


class Gathering:
    """Tells when to serve: configuration after a quiet moment, endpoints at once."""

    def __init__(self, *, quiet: float = QUIET, longest: float = LONGEST) -> None:
        self._quiet = quiet
        self._longest = longest
        self._first: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = asyncio.Event()
        self._kind: Kind = "endpoints"

    def add(self, kind: Kind) -> None:
        """The mesh has changed."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._first is None:
            self._first = now
        if kind == "endpoints":
            self._due.set()
            return
        self._kind = kind
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(min(now + self._quiet, self._first + self._longest), self._due.set)

    async def wait(self) -> tuple[Kind, float]:
        """What is due, with the loop's time of its first edit."""
        await self._due.wait()
        kind, first = self._kind, self._first
        assert first is not None
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._first, self._kind = None, None, "endpoints"
        return kind, first
