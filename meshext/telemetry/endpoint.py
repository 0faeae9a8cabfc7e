"""`GET /metrics` for Prometheus: one small HTTP/1.1 server, which a slow or rude client can not hold."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType

import h11

from meshext.telemetry.families import Family

PATH = b"/metrics"
LARGEST_HEAD = 16 << 10  # bytes of a request's line and headers
PATIENCE = 10.0  # seconds that one client has for everything; Prometheus's own default
MOST_CLIENTS = 32
TEXT = "text/plain; charset=utf-8"

Gather = Callable[[], Awaitable[Sequence[Family]]]
Page = Callable[[], tuple[int, str]]
"""A status and a text, such as whether the process is ready."""
Reply = tuple[int, bytes, str]


class MetricsEndpoint:
    """Answers from what `gather` gives; `pages` are other paths that may be read."""

    def __init__(self, gather: Gather, *, pages: Mapping[bytes, Page] = MappingProxyType({})) -> None:
        self._gather = gather
        self._pages = pages
        self._clients: dict[asyncio.StreamWriter, None] = {}

    async def serve(self, listening: socket.socket) -> None:
        """Serve on a bound socket until cancelled."""
        listening.setblocking(False)
        server = await asyncio.start_server(self._meet, sock=listening, limit=LARGEST_HEAD)
        async with server:
            await server.serve_forever()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._clients) >= MOST_CLIENTS:  # whoever has taken longest goes
            oldest = next(iter(self._clients))
            del self._clients[oldest]
            oldest.transport.abort()
        self._clients[writer] = None
        try:
            async with asyncio.timeout(PATIENCE):
                await self._converse(reader, writer)
                writer.close()
                await writer.wait_closed()
        except (TimeoutError, OSError):
            pass  # it is gone, or does not read
        finally:
            self._clients.pop(writer, None)
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LARGEST_HEAD)
        try:
            while (event := connection.next_event()) is h11.NEED_DATA:
                connection.receive_data(await reader.read(LARGEST_HEAD))
            if not isinstance(event, h11.Request):
                return
            status, body, content_type = await self._reply(event)
            head_only = event.method == b"HEAD"
        except h11.RemoteProtocolError as error:
            status, body, content_type = error.error_status_hint, b"this is no request\n", TEXT
            head_only = False
        writer.write(head(status, body, content_type) + (b"" if head_only else body))
        await writer.drain()

    async def _reply(self, request: h11.Request) -> Reply:
        path = request.target.partition(b"?")[0]
        page = self._pages.get(path)
        if path != PATH and page is None:
            return 404, b"metrics are at /metrics\n", TEXT
        if request.method not in (b"GET", b"HEAD"):
            return 405, b"metrics are read with GET\n", TEXT
        if page is not None:
            status, text = page()
            return status, f"{text}\n".encode(), TEXT
        from meshext.telemetry.exposition import render

        accepts = [value.decode("latin-1") for name, value in request.headers if name == b"accept"]
        families = await self._gather()
        body, content_type = await asyncio.to_thread(render, families, ",".join(accepts))
        return 200, body, content_type


def head(status: int, body: bytes, content_type: str) -> bytes:
    """Status line and headers."""
    allow = "allow: GET, HEAD\r\n" if status == HTTPStatus.METHOD_NOT_ALLOWED else ""
    return (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{allow}content-type: {content_type}\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    ).encode("ascii", "replace")
