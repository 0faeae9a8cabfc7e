"""A small HTTP/1.1 client that sends exactly what it is told, for calls and tests.

Ordinary clients tidy a request up (they resolve `/../`, merge headers); what a policy does with untidy ones
is what one wants to see.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

TIME_LIMIT = 30.0  # seconds
PIECE = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. Header names as on the wire; values and `text` as UTF-8 with surrogateescape."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    trailers: list[tuple[str, str]]

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "surrogateescape")

    def header(self, name: str) -> str | None:
        """Every line of that name joined with `, `; None where there is none."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else None


def send(
    url: str,
    method: str = "GET",
    target: str = "/",
    *,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    trailers: Iterable[tuple[str, str]] = (),
    host: str | None = None,
    tls: ssl.SSLContext | None = None,
) -> Answer:
    """Send one request and read the whole answer; OSError where there is none.

    With `trailers` the body goes chunked. `tls` is the context for an https URL, by default one that
    verifies nothing, since the server is our own.
    """
    lines = list(headers)
    if not any(name.lower() == "host" for name, _ in lines):
        lines.insert(0, ("host", host or urlsplit(url).netloc))
    extra = list(trailers)
    if extra:
        lines.append(("transfer-encoding", "chunked"))
    elif body and not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in lines):
        lines.append(("content-length", str(len(body))))
    lines.append(("connection", "close"))
    connection = h11.Connection(h11.CLIENT)
    request = h11.Request(method=method, target=target.encode(), headers=encode(lines))
    data = connection.send(request) or b""
    if body:
        data += connection.send(h11.Data(data=body)) or b""
    data += connection.send(h11.EndOfMessage(headers=encode(extra))) or b""
    with connect(url, tls) as wire:
        with suppress(BrokenPipeError, ConnectionResetError):  # answered before all was read: read that
            wire.sendall(data)
        return read_answer(connection, wire)


def connect(url: str, tls: ssl.SSLContext | None) -> socket.socket:
    """A connection to the server of a URL."""
    parts = urlsplit(url)
    plain = socket.create_connection((parts.hostname, parts.port), timeout=TIME_LIMIT)
    if parts.scheme != "https":
        return plain
    return (tls or trusting_context()).wrap_socket(plain, server_hostname=parts.hostname)


def trusting_context() -> ssl.SSLContext:
    """TLS that verifies nothing: for a server of our own on this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def read_answer(connection: h11.Connection, wire: socket.socket) -> Answer:
    """The final answer on a connection; interim ones are passed over."""
    status, lines, body = 0, encode(()), b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(wire.recv(PIECE))
        elif isinstance(event, h11.Response):
            status, lines = event.status_code, list(event.headers)
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            return Answer(
                status=status, headers=decode(lines), body=body, trailers=decode(list(event.headers))
            )
        elif isinstance(event, h11.ConnectionClosed):
            raise ConnectionResetError("the connection ended before the answer did")


def encode(lines: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Header lines as bytes."""
    return [(name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in lines]


def decode(lines: list[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """Header lines as text."""
    return [(name.decode(), value.decode("utf-8", "surrogateescape")) for name, value in lines]
