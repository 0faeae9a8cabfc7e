"""Tells everyone who watches when roots or bans have changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

from meshext.errors import MeshextError
from meshext_controlplane.identity.authority import CertificateAuthority
from meshext_controlplane.identity.svid import Trust
from meshext_controlplane.state.store import StateStore
from meshext_controlplane.state.worker import StateThread

POLL = 1.0  # seconds between two looks for what another process has written

log = logging.getLogger("meshext.identity")


class TrustFeed:
    """The present trust, and a way to wait for the next. For one event loop."""

    def __init__(self, store: StateStore, authority: CertificateAuthority, thread: StateThread) -> None:
        self._store = store
        self._authority = authority
        self._thread = thread
        self._changed = asyncio.Event()
        self._changes = 0
        self._asking = asyncio.Lock()
        self._known: tuple[int, Trust] | None = None

    async def current(self) -> Trust:
        """Whom to trust now; asked of the state once for each change, however many want to know."""
        async with self._asking:
            if self._known is None or self._known[0] != self._changes:
                changes = self._changes
                self._known = changes, await self._thread.run(self._authority.trust)
            return self._known[1]

    async def change(self) -> None:
        """Wait for the next `notify`; one that comes while nobody waits is missed, see `changes`."""
        await self._changed.wait()

    async def changes(self) -> AsyncIterator[None]:
        """Once at the beginning, then after each `notify`, several of which may be one; none is missed."""
        seen = -1
        while True:
            if seen == self._changes:
                await self._changed.wait()
            seen = self._changes
            yield

    def notify(self) -> None:
        """A ban was set or lifted, or roots have changed: those who wait look again."""
        self._changes += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def follow(self, *, interval: float = POLL) -> None:
        """Notify when another process (`meshext ban`) has changed the state; runs until cancelled."""
        last: int | None = None
        failing = False
        while True:
            try:
                now = await self._thread.run(self._store.changed_elsewhere)
                if last is not None and now != last:
                    await self._thread.run(self._authority.trust)  # takes what was changed
            except MeshextError as error:
                if not failing:
                    log.error("changes of the state by others are not seen: %s", error)
                failing = True
            else:
                failing = False
                if last is not None and now != last:
                    self.notify()
                last = now
            await asyncio.sleep(interval)
