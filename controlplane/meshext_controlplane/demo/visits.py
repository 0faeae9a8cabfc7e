"""Calls from outside the shop: as a customer through a sidecar's proxy, and past every sidecar.

A small HTTP/1.1 client on asyncio and h11, since a visitor should send what we say and nothing else.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType, TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import h11

TIME_LIMIT = 15.0  # seconds for one call
LARGEST = 1024 * 1024  # bytes of an answer
_PIECE = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; header names in lower case. Status 0 where nothing did, and `body` says why."""

    status: int
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    body: bytes = b""

    @property
    def value(self) -> Any:
        """The body's JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def told(self) -> str:
        """In short, for a person."""
        return f"{self.status or 'no answer'} {self.body[:80].decode(errors='replace').strip()}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request. `url` is absolute: a proxy gets it whole, a server only its path."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    body: bytes = b""


class Customer:
    """One connection to a proxy, made again where it was closed; one call at a time.

    An async context manager that closes it.
    """

    def __init__(self, proxy: str) -> None:
        parts = urlsplit(proxy)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._link: tuple[asyncio.StreamReader, asyncio.StreamWriter, h11.Connection] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    async def call(self, visit: Visit) -> Answer:
        """Its answer. A connection that was idle and has gone is no failure: a second one is tried."""
        idle = self._link is not None
        answer = await self._try(visit)
        return await self._try(visit) if idle and answer.status == 0 else answer

    async def _try(self, visit: Visit) -> Answer:
        try:
            async with asyncio.timeout(TIME_LIMIT):
                if self._link is None:
                    reader, writer = await asyncio.open_connection(self._host, self._port)
                    self._link = reader, writer, h11.Connection(h11.CLIENT)
                reader, writer, http = self._link
                answer = await exchange(reader, writer, http, visit, visit.url)
        except (OSError, h11.ProtocolError, TimeoutError) as error:
            self._close()
            return Answer(status=0, body=(str(error) or type(error).__name__).encode())
        if http.our_state is h11.DONE and http.their_state is h11.DONE:
            http.start_next_cycle()
        else:
            self._close()
        return answer

    def _close(self) -> None:
        if self._link is not None:
            self._link[1].close()
            self._link = None


async def call_directly(address: str, port: int, visit: Visit, tls: ssl.SSLContext | None = None) -> Answer:
    """Call a workload's address past all proxies, in plain text or with TLS of our own making."""
    target = urlsplit(visit.url).path or "/"
    try:
        async with asyncio.timeout(TIME_LIMIT):
            reader, writer = await asyncio.open_connection(
                address, port, ssl=tls, server_hostname=address if tls else None
            )
            try:
                return await exchange(reader, writer, h11.Connection(h11.CLIENT), visit, target)
            finally:
                writer.close()
    except (OSError, h11.ProtocolError, TimeoutError) as error:
        return Answer(status=0, body=(str(error) or type(error).__name__).encode())


async def exchange(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    http: h11.Connection,
    visit: Visit,
    target: str,
) -> Answer:
    """One request and its answer; OSError or h11.ProtocolError where it is not whole."""
    lines = {"host": urlsplit(visit.url).netloc, **visit.headers}
    if visit.body or visit.method == "POST":
        lines["content-length"] = str(len(visit.body))
    writer.write(
        http.send(h11.Request(method=visit.method, target=target, headers=list(lines.items()))) or b""
    )
    if visit.body:
        writer.write(http.send(h11.Data(data=visit.body)) or b"")
    writer.write(http.send(h11.EndOfMessage()) or b"")
    with suppress(ConnectionError):  # it may have answered before it read all
        await writer.drain()
    status, headers, body = 0, {}, b""
    while not isinstance(event := http.next_event(), h11.EndOfMessage):
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(_PIECE))
        elif isinstance(event, h11.Response):
            status = event.status_code
            headers = {name.decode(): value.decode("latin-1") for name, value in event.headers}
        elif isinstance(event, h11.Data) and len(body) < LARGEST:
            body += bytes(event.data)
        elif isinstance(event, h11.ConnectionClosed):
            raise ConnectionResetError("the connection was closed without an answer")
    return Answer(status=status, headers=headers, body=body)
