"""An upstream that answers what the case scripts, and keeps what it got."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import h11

from meshext.http.headers import Headers
from meshext.testing import Reply
from meshext.testing.outcome import HeadersLike, lines_of
from tests.conformance.case import Arrived


class ScriptedUpstream:
    """HTTP/1.1 with trailers; `reply` is the next answer, `arrived` what it was an answer to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.reply = Reply()
        self.arrived: Arrived | None = None
        self.address = ""
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self.address

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._open:
            writer.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        http = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        with suppress(ConnectionError, h11.RemoteProtocolError):
            while await self._serve_one(http, reader, writer):
                http.start_next_cycle()
        writer.close()
        self._open.discard(writer)

    async def _serve_one(
        self, http: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        request, body = None, b""
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(await reader.read(65536))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
            else:
                return False
        assert request is not None
        self.arrived = to_arrived(self.name, request, body, event)
        writer.write(answer(http, self.reply, head=request.method == b"HEAD"))
        await writer.drain()
        return http.our_state is h11.DONE


def to_arrived(name: str, request: h11.Request, body: bytes, end: h11.EndOfMessage) -> Arrived:
    lines = tuple((key.decode("ascii"), value) for key, value in request.headers)
    host = Headers.from_lines(lines).get("host", "")
    return Arrived(
        at=name,
        method=request.method.decode("ascii"),
        target=request.target.decode("latin-1"),
        host=host,
        headers=Headers.from_lines(lines),
        body=body,
        trailers=Headers.from_lines(tuple((key.decode("ascii"), value) for key, value in end.headers)),
    )


def answer(http: h11.Connection, reply: Reply, *, head: bool) -> bytes:
    """The bytes of an answer; chunked where it has trailers."""
    headers = encoded(reply.headers)
    if reply.trailers:
        headers.append((b"transfer-encoding", b"chunked"))
    elif reply.status != 204:
        headers.append((b"content-length", str(len(reply.body)).encode()))
    bodiless = head or reply.status in (204, 304)
    out = http.send(h11.Response(status_code=reply.status, headers=headers)) or b""
    if reply.body and not bodiless:
        out += http.send(h11.Data(data=reply.body)) or b""
    trailers = [] if bodiless else encoded(reply.trailers)
    return out + (http.send(h11.EndOfMessage(headers=trailers)) or b"")


def encoded(given: HeadersLike) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value) for name, value in lines_of(given)]
