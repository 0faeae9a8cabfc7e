"""Requests that go on and on, each connection kept open, while something is done to the service."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

LENGTH = re.compile(rb"(?i)\r\ncontent-length: (\d+)")
PATIENCE = 20.0  # seconds that one answer may take
CLIENTS = 10  # at once, where nobody says how many


@dataclass(frozen=True, slots=True)
class Got:
    """One answer."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        """A header's value; "" where there is none."""
        found = re.search(rb"(?i)\r\n" + name.encode() + rb": ([^\r]*)", self.head)
        return found[1].decode() if found else ""


@dataclass(slots=True)
class Load:
    """What came back so far. `kinds` counts what `judge` said of each answer."""

    kinds: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0

    @property
    def count(self) -> int:
        """All answers."""
        return sum(self.kinds.values())


def by_status(got: Got) -> str:
    """The status alone."""
    return str(got.status)


@contextmanager
def under_load(
    port: int,
    *,
    address: str = "127.0.0.1",
    host: str = "a",
    target: str = "/",
    among: int = CLIENTS,
    judge: Callable[[Got], str] = by_status,
) -> Iterator[Load]:
    """So many clients, each with one connection, until the block is left; `host` is the Host header."""
    load, done = Load(), threading.Event()

    async def play() -> None:
        await asyncio.gather(
            *(client((address, port), (host, target), load, judge, done) for _ in range(among))
        )

    thread = threading.Thread(target=asyncio.run, args=(play(),))
    thread.start()
    try:
        yield load
    finally:
        done.set()
        thread.join()


async def client(
    place: tuple[str, int],
    request: tuple[str, str],
    load: Load,
    judge: Callable[[Got], str],
    done: threading.Event,
) -> None:
    """One client."""
    loop = asyncio.get_running_loop()
    link: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    while not done.is_set():
        link = link or await asyncio.open_connection(*place)
        began = loop.time()
        try:
            async with asyncio.timeout(PATIENCE):
                got = await exchange(*link, *request)
            kind = judge(got)
            again = got.header("connection") != "close"
        except TimeoutError:
            kind, again = "no answer", False
        except (OSError, EOFError, asyncio.IncompleteReadError):
            kind, again = "broken", False
        load.kinds[kind] += 1
        load.longest = max(load.longest, loop.time() - began)
        if not again:
            await close(link[1])
            link = None
    if link is not None:
        await close(link[1])


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, target: str) -> Got:
    """One request and the whole answer."""
    writer.write(f"GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    length = LENGTH.search(head)
    body = b""
    if length:
        body = await reader.readexactly(int(length[1]))
    elif b"chunked" in head:
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    return Got(int(head.split()[1]), head, body)


async def close(writer: asyncio.StreamWriter) -> None:
    """End a connection."""
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
