"""The end of a server in order: nothing that is open is cut while there is time.

gRPC's own stop turns away at once what comes on an open connection, and Envoy goes on to use one until it
has read the GOAWAY: measured, each stop under load lost as many requests as were under way at that moment.
So the port is closed first, and the server lives on until its connections have reached their age, when
gRPC sends GOAWAY and still takes what arrives before Envoy has read it.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

LOOK = 0.02  # seconds between two looks at the connections
SPREAD = 1.1  # gRPC ends a connection up to a tenth before or after its age
MARGIN = 0.3  # seconds for a GOAWAY to arrive
FLUSH = 0.5  # seconds for the last answers to be written


class Drained(Protocol):
    """A server, as far as draining goes."""

    age: float
    """Seconds that a connection lives."""

    def connections(self) -> int | None:
        """How many are open; None where nobody knows."""

    async def stop(self, grace: float) -> None:
        """End the server; what is still open after `grace` seconds is cut."""

    async def empty(self) -> None:
        """Wait until no exchange is open."""


async def drain(server: Drained, seconds: float) -> None:
    """End a server whose port is closed, within so many seconds."""
    deadline = time.monotonic() + seconds
    await leave(server, min(deadline, time.monotonic() + server.age * SPREAD + MARGIN))
    stopping = asyncio.create_task(server.stop(max(0.0, deadline - time.monotonic())))
    emptying = asyncio.create_task(server.empty())
    await asyncio.wait({stopping, emptying}, return_when=asyncio.FIRST_COMPLETED)
    emptying.cancel()
    if not stopping.done():  # a health watch may be open for ever
        await server.stop(min(FLUSH, max(0.0, deadline - time.monotonic())))
    await stopping


async def leave(server: Drained, deadline: float) -> None:
    """Wait until nobody is connected, at most until then."""
    await asyncio.sleep(min(LOOK, max(0.0, deadline - time.monotonic())))  # for what is being accepted
    while server.connections() and time.monotonic() < deadline:  # noqa: ASYNC110  # nobody tells
        await asyncio.sleep(LOOK)
