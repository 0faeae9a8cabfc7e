"""A worker's side of the metrics: it answers its parent, and tells it each second where it stands.

So a worker that is killed takes at most its last second with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Sequence

from meshext.errors import ProtocolError
from meshext.telemetry.families import Family, by_definition
from meshext.telemetry.frames import encode_family, frame, read_frame

log = logging.getLogger("meshext.metrics")

PUSH = 1.0  # seconds
LAST = 1.0  # seconds for the last snapshot to leave
BATCH = 200  # series that are encoded without letting others run

Source = Callable[[], Sequence[Family]]
"""Gives families as they stand, such as `HostMetrics.families`."""


class MetricsReporter:
    """Reports what `sources` give over an inherited socket; `start` and `close` on the worker's loop."""

    def __init__(self, descriptor: int, sources: Sequence[Source], *, push: float = PUSH) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._sources = tuple(sources)
        self._push = push
        self._writer: asyncio.StreamWriter | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._lock = asyncio.Lock()
        self._pushed: list[str] = []
        self._warned = False

    async def start(self) -> None:
        """Begin to report."""
        self._socket.setblocking(False)
        reader, self._writer = await asyncio.open_unix_connection(sock=self._socket)
        await self._tell(0)  # until then the parent does not ask
        self._tasks = [
            asyncio.create_task(self._answer(reader), name="metrics answers"),
            asyncio.create_task(self._push_often(), name="metrics push"),
        ]

    async def close(self) -> None:
        """Say where it stands for the last time, and end."""
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(LAST):
                await self._tell(0)
                await self._end_tasks()
                if self._writer is not None:
                    self._writer.close()
                    await self._writer.wait_closed()
        await self._end_tasks()
        if self._writer is not None:
            self._writer.transport.abort()

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader) -> None:
        while (asked := await read_frame(reader)) is not None:
            await self._tell(asked[0])

    async def _push_often(self) -> None:
        while True:
            await asyncio.sleep(self._push)
            await self._tell(0)

    async def _tell(self, seq: int) -> None:
        """One snapshot; one that nobody asked for is left out where nothing has changed."""
        async with self._lock:
            encoded = await self._encode()
            if self._writer is None or (not seq and encoded == self._pushed):
                return
            try:
                self._writer.write(frame(seq, f"[{', '.join(encoded)}]".encode()))
                await self._writer.drain()
                self._pushed = encoded
            except ProtocolError as error:
                self._warn(error)
            except ConnectionError:
                return  # the parent is gone, and this worker soon will be

    async def _encode(self) -> list[str]:
        encoded, fresh = [], 0
        for family in by_definition(each for source in self._sources for each in source()).values():
            encoded.append(encode_family(family))
            fresh += len(family.numbers) + len(family.spreads)
            if fresh > BATCH:
                fresh = 0
                await asyncio.sleep(0)
        return encoded

    def _warn(self, error: ProtocolError) -> None:
        if not self._warned:
            self._warned = True
            log.error("metrics are not reported: %s", error)
