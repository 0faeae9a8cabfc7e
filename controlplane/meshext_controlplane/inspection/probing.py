"""Whether ports that take only mTLS refuse plain text: seen from the outside, by connecting."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from enum import Enum

PATIENCE = 3.0  # seconds for one port
AT_ONCE = 64  # connections
REQUEST = b"GET / HTTP/1.1\r\nhost: meshext-check\r\nconnection: close\r\n\r\n"
ALERT = b"\x15\x03"  # a TLS alert record (RFC 8446, 5.1): it refuses

Place = tuple[str, int]
"""An address and a port."""


class Probe(Enum):
    """What became of plain text."""

    REFUSED = "refuses plain text"
    ANSWERED = "answers plain text"
    UNREACHABLE = "can not be reached"
    SILENT = "neither answers nor closes"


def probe_all(places: Sequence[Place]) -> Mapping[Place, Probe]:
    """Try all of them."""

    async def run() -> list[Probe]:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(place: Place) -> Probe:
            async with gate:
                return await probe(*place)

        return await asyncio.gather(*map(one, places))

    return dict(zip(places, asyncio.run(run()), strict=True))


async def probe(address: str, port: int, *, patience: float = PATIENCE) -> Probe:
    """Send a request in plain text, and see what comes."""
    try:
        async with asyncio.timeout(patience):
            reader, writer = await asyncio.open_connection(address, port)
    except (OSError, TimeoutError):
        return Probe.UNREACHABLE
    try:
        async with asyncio.timeout(patience):
            writer.write(REQUEST)
            await writer.drain()
            answer = await reader.read(64)
    except TimeoutError:
        return Probe.SILENT
    except OSError:
        return Probe.REFUSED
    finally:
        writer.transport.abort()
    return Probe.ANSWERED if answer and not answer.startswith(ALERT) else Probe.REFUSED
