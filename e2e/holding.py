"""An upstream that holds every request for a while: `python -m e2e.holding SECONDS` prints its port."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

LAST_CHUNK = b"\r\n0\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nheld"


class Held(asyncio.Protocol):
    """One connection; a request is answered when the time is over that begins with its last byte."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._data = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (size := whole(self._data)) and size <= len(self._data):
            self._data = self._data[size:]
            asyncio.get_running_loop().call_later(self._seconds, self._answer)

    def _answer(self) -> None:
        if self._transport is not None:
            self._transport.write(ANSWER)


def whole(data: bytes) -> int:
    """How many bytes the first request has; 0 while its head is not all there."""
    head, end, _ = data.partition(b"\r\n\r\n")
    if not end:
        return 0
    if b"transfer-encoding: chunked" in head:
        return data.find(LAST_CHUNK) + len(LAST_CHUNK) if LAST_CHUNK in data else sys.maxsize
    length = re.search(rb"content-length: (\d+)", head)
    return len(head + end) + (int(length[1]) if length else 0)


async def serve(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Held(seconds), "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)  # until whoever started it is gone


@asynccontextmanager
async def holding(seconds: float) -> AsyncIterator[str]:
    """The address of one in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "e2e.holding",
        str(seconds),
        cwd=Path(__file__).parents[1],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield f"127.0.0.1:{int(await process.stdout.readline())}"
    finally:
        process.stdin.close()
        await process.wait()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
