"""Who may use the Workload API: users whom the kernel names for each connection.

gRPC's server for Python does not tell who has opened a Unix socket. So connections are taken here, their peer
is looked at (SO_PEERCRED), and the bytes of those who may go on to the server's own socket, which lies in a
folder that is ours alone.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from meshext_controlplane.agent.metrics import Counts

MOST = 128
"""Connections at once; an application needs one for each of its processes."""

_PIECE = 65_536  # bytes read at once
_CREDENTIALS = struct.Struct("iII")  # Linux's struct ucred: process, user, group

log = logging.getLogger("meshext.sidecar")


class Callers:
    """Takes connections of some users to the server behind `inner`; our own user is always one of them."""

    def __init__(self, inner: Path, users: Collection[int] = (), *, counts: Counts | None = None) -> None:
        self._counts = counts or Counts()
        self._inner = inner
        self._users = {os.geteuid(), *users}
        self._open: set[asyncio.Task[None]] = set()
        self._refused: set[int] = set()

    @asynccontextmanager
    async def served(self, listening: socket.socket) -> AsyncIterator[None]:
        """Take connections as long as the block lasts; those that are open end with it."""
        server = await asyncio.start_unix_server(self._take, sock=listening)
        try:
            yield
        finally:
            server.close()
            for task in self._open:
                task.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._may(writer.get_extra_info("socket")):
            self._counts.stranger_refused()
            writer.close()
            return
        task = asyncio.create_task(self._pass_on(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    def _may(self, connection: Any) -> bool:
        """Whether this one is served; whoever is not is told of once."""
        user = read_user(connection)
        if user not in self._users:
            if user not in self._refused and len(self._refused) < MOST:
                self._refused.add(user)
                log.warning("user %d may not use the Workload API: --workload-api-user lets it", user)
            return False
        if len(self._open) >= MOST:
            log.warning("more than %d connections to the Workload API: one is refused", MOST)
            return False
        return True

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Both ways until one side has ended."""
        try:
            inner_reader, inner_writer = await asyncio.open_unix_connection(self._inner)
        except OSError:  # we are about to end
            writer.close()
            return
        ways = [
            asyncio.create_task(_pump(reader, inner_writer)),
            asyncio.create_task(_pump(inner_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            inner_writer.close()
            writer.close()


def read_user(connection: Any) -> int:
    """The number of the user that has opened a connection, as the kernel noted it then."""
    _, user, _ = _CREDENTIALS.unpack(
        connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    )
    return int(user)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_PIECE):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass  # one side has gone, which ends the other
