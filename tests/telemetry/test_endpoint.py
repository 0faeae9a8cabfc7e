"""The metrics port: what it answers, and what it does not put up with."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from meshext.telemetry import endpoint
from meshext.telemetry.endpoint import MetricsEndpoint
from meshext.telemetry.families import Family

FAMILY = Family("a_total", "counter", (), "Help.", (), {(): 3.0})
Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


async def gather() -> list[Family]:
    return [FAMILY]


def served(work: Callable[[Connect], Awaitable[None]]) -> None:
    """Run `work` beside an endpoint."""

    async def run() -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        host, port = listening.getsockname()
        serving = asyncio.ensure_future(MetricsEndpoint(gather).serve(listening))
        try:
            async with asyncio.timeout(20):
                await work(lambda: asyncio.open_connection(host, port))
        finally:
            serving.cancel()
            await asyncio.wait({serving})

    asyncio.run(run())


async def ask(connect: Connect, request: bytes) -> bytes:
    reader, writer = await connect()
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("request_", "status", "text"),
    [
        (b"GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n", b"200", b"a_total 3.0\n"),
        (b"GET /metrics?x=1 HTTP/1.0\r\n\r\n", b"200", b"a_total 3.0\n"),
        (
            b"GET /metrics HTTP/1.1\r\nhost: a\r\naccept: application/openmetrics-text\r\n\r\n",
            b"200",
            b"# EOF\n",
        ),
        (b"HEAD /metrics HTTP/1.1\r\nhost: a\r\n\r\n", b"200", b"connection: close\r\n\r\n"),
        (b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", b"404", b"metrics are at /metrics\n"),
        (
            b"POST /metrics HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n",
            b"405",
            b"metrics are read with GET\n",
        ),
        (b"GET /metrics HTTP/1.1\r\n\r\n", b"400", b"this is no request\n"),
        (b"\x16\x03\x01\r\n\r\n", b"400", b"this is no request\n"),
        (b"GET /" + b"a" * 40_000, b"431", b"this is no request\n"),
    ],
)
def test_what_is_answered(request_: bytes, status: bytes, text: bytes) -> None:
    async def work(connect: Connect) -> None:
        answer = await ask(connect, request_)
        assert answer.split()[1] == status
        assert answer.endswith(text)

    served(work)


def test_one_who_takes_long_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "MOST_CLIENTS", 3)

    async def work(connect: Connect) -> None:
        silent = [await connect() for _ in range(3)]
        for _ in range(3):
            assert b"200 OK" in await ask(connect, b"GET /metrics HTTP/1.0\r\n\r\n")
        ended = [await reader.read() for reader, _ in silent[:1]]
        assert ended == [b""]
        for _, writer in silent:
            writer.close()

    served(work)


def test_one_who_says_nothing_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "PATIENCE", 0.05)

    async def work(connect: Connect) -> None:
        reader, writer = await connect()
        writer.write(b"GET /metr")
        assert await reader.read() == b""
        writer.close()

    served(work)
