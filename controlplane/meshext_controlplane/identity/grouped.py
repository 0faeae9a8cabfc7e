"""Certificates that wait for the disk together: what is asked while one change is written goes with the next.

A commit takes as long for sixty certificates as for one, and that is what a certificate takes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeAlias, TypeVar

from meshext_controlplane.identity.peer import Peer
from meshext_controlplane.identity.svid import Svid
from meshext_controlplane.state.worker import StateThread

MOST = 64
"""Certificates in one change: others that use the state wait that long."""

Renewal: TypeAlias = "tuple[Peer, bytes]"
"""Who renews, and the CSR."""

Joining: TypeAlias = "tuple[str, bytes]"
"""The token, and the CSR."""

Asked = TypeVar("Asked")
IssueAll: TypeAlias = "Callable[[Sequence[Asked]], list[Svid | Exception]]"


class Grouped(Generic[Asked]):
    """For one event loop and one way to ask: `Enrollment.join_all` or `Enrollment.renew_all`."""

    def __init__(self, issue_all: IssueAll[Asked], thread: StateThread) -> None:
        self._issue_all = issue_all
        self._thread = thread
        self._waiting: list[tuple[Asked, asyncio.Future[Svid]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def ask(self, request: Asked) -> Svid:
        """The certificate, or the error of this one; who has gone before his turn gets nothing."""
        answer: asyncio.Future[Svid] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, answer))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await answer

    async def _write(self) -> None:
        try:
            while waiting := [each for each in self._waiting if not each[1].done()]:
                group, self._waiting = waiting[:MOST], waiting[MOST:]
                await self._write_group(group)
        finally:
            self._writing = None

    async def _write_group(self, group: list[tuple[Asked, asyncio.Future[Svid]]]) -> None:
        try:
            found = await self._thread.run(self._issue_all, [request for request, _ in group])
        except Exception as error:
            found = [error] * len(group)
        for (_, answer), each in zip(group, found, strict=True):
            if answer.done():
                continue
            if isinstance(each, Exception):
                answer.set_exception(each)
            else:
                answer.set_result(each)
