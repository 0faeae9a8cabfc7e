"""Renewals that wait for the disk together: what came while one change was written is written with the next.

A commit takes as long for sixty certificates as for one, and that is what a renewal takes.
"""

from __future__ import annotations

import asyncio

from meshext_controlplane.identity.enrollment import Enrollment
from meshext_controlplane.identity.peer import Peer
from meshext_controlplane.identity.svid import Svid
from meshext_controlplane.state.worker import StateThread

MOST = 64
"""Renewals in one change: others that use the state wait that long."""


class GroupedRenewals:
    """For one event loop."""

    def __init__(self, enrollment: Enrollment, thread: StateThread) -> None:
        self._enrollment = enrollment
        self._thread = thread
        self._waiting: list[tuple[Peer, bytes, asyncio.Future[Svid]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def renew(self, peer: Peer, csr: bytes) -> Svid:
        """As `Enrollment.renew`; who has gone before his turn gets nothing."""
        answer: asyncio.Future[Svid] = asyncio.get_running_loop().create_future()
        self._waiting.append((peer, csr, answer))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await answer

    async def _write(self) -> None:
        try:
            while waiting := [each for each in self._waiting if not each[2].done()]:
                group, self._waiting = waiting[:MOST], waiting[MOST:]
                await self._write_group(group)
        finally:
            self._writing = None

    async def _write_group(self, group: list[tuple[Peer, bytes, asyncio.Future[Svid]]]) -> None:
        requests = [(peer, csr) for peer, csr, _ in group]
        try:
            found = await self._thread.run(self._enrollment.renew_all, requests)
        except Exception as error:
            found = [error] * len(group)
        for (_, _, answer), each in zip(group, found, strict=True):
            if answer.done():
                continue
            if isinstance(each, Exception):
                answer.set_exception(each)
            else:
                answer.set_result(each)
