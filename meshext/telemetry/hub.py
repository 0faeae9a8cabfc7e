"""One total over workers, in the process above them."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence

from meshext.errors import ProtocolError
from meshext.telemetry.admission import Admission
from meshext.telemetry.families import Families, Family, by_definition, keep, newest_shapes, total
from meshext.telemetry.frames import decode_families, frame, read_frame

log = logging.getLogger("meshext.metrics")

BOUND = 0.2  # seconds that a scrape waits for workers; of one that is stuck, its last snapshot counts
MOST_ASKED = 8  # questions to one worker that may be unanswered


class Link:
    """One worker as the hub knows it: what it said last, unread until somebody wants to know."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._answered = asyncio.Event()
        self._asked = self._last = 0
        self._gone = False
        self._read: tuple[bytes, Families] = (b"", {})
        self.body = b""

    async def refresh(self) -> None:
        """Ask where it stands, and wait for the answer or its end."""
        if self._asked - self._last < MOST_ASKED:
            self._asked += 1
            self._writer.write(frame(self._asked))
        wanted = self._asked
        while self._last < wanted and not self._gone:
            self._answered.clear()
            await self._answered.wait()

    def take(self, seq: int, body: bytes) -> None:
        """What it said."""
        self.body = body
        self._last = max(self._last, min(seq, self._asked))
        self._answered.set()

    def end(self) -> None:
        """It is gone."""
        self._gone = True
        self._answered.set()

    def families(self, body: bytes) -> Families:
        """What it said, read; where that is none, what it said before. Any one thread at a time may ask."""
        if body != self._read[0]:
            known = self._read[1]
            try:
                known = by_definition(decode_families(body))
            except ProtocolError as error:
                log.error("a worker's metrics are passed over: %s", error)
            self._read = body, known
        return self._read[1]


class MetricsHub:
    """Adds up what workers report. Workers that are gone stay in the counts, and leave the gauges.

    `own` gives the families of this process.
    """

    def __init__(self, own: Callable[[], Sequence[Family]] = tuple) -> None:
        self._own = own
        self._links: list[Link] = []
        self._gone: Families = {}
        self._admission = Admission()
        self._reading = asyncio.Lock()

    async def serve(self, channel: socket.socket) -> None:
        """Listen to one worker until it is gone."""
        reader, writer = await asyncio.open_unix_connection(sock=channel)
        link = Link(writer)
        self._links.append(link)
        try:
            while (said := await read_frame(reader)) is not None:
                link.take(*said)
        except ProtocolError as error:
            log.error("a worker's metrics are ignored from now on: %s", error)
        finally:
            link.end()
            writer.close()
            async with self._reading:
                dead = await asyncio.to_thread(link.families, link.body)
                self._gone = self._admission.fold(keep(self._gone, dead))
                self._links.remove(link)  # in the same step, so that it is counted once at any time

    async def gather(self) -> list[Family]:
        """The total as it stands, every worker asked that serves; read in a thread, as it may be long."""
        asked = [asyncio.create_task(link.refresh()) for link in self._links if link.body]
        if asked:
            _, late = await asyncio.wait(asked, timeout=BOUND)
            for task in late:
                task.cancel()
        async with self._reading:
            said = [(link, link.body) for link in self._links]
            return await asyncio.to_thread(self._add_up, self._gone, said)

    def _add_up(self, gone: Families, said: Sequence[tuple[Link, bytes]]) -> list[Family]:
        living = [link.families(body) for link, body in said]
        parts = newest_shapes([gone, *living, by_definition(self._own())])
        shown = self._admission.fold(total(parts))
        self._admission.keep(shown)
        return sorted(shown.values(), key=lambda family: family.definition)
