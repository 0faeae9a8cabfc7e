"""HTTP as bytes: an upstream that keeps what it got, and clients that send what they are told."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.exceptions

DEADLINE = 20.0  # seconds
PIECE = 65_536
Where = int | tuple[str, int]
"""A port of this machine, or an address and a port."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as the upstream received it."""

    head: bytes
    body: bytes

    @property
    def target(self) -> str:
        words = self.head.split(maxsplit=2)  # as forgiving servers do
        return words[1].decode("latin-1") if len(words) > 1 else ""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def values(self, name: str) -> list[bytes]:
        """Every line of that name."""
        pairs = [line.partition(b":") for line in self.head.split(b"\r\n")[1:]]
        return [value.strip(b" \t") for key, _, value in pairs if key.lower() == name.encode()]


class RawUpstream:
    """Answers every request with `passed`; `/bytes/N` with N bytes that end in `leak`.

    It listens in the network of the thread that makes it.
    """

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        self.seen: list[Seen] = []
        self._servers: list[tuple[socket.socket, threading.Thread]] = []
        self.listen(address, port)

    def listen(self, address: str, port: int) -> None:
        """Take connections there too."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        server = socket.create_server((address, port), family=family, backlog=128)
        thread = threading.Thread(target=self._accept, args=(server,), daemon=True)
        self._servers.append((server, thread))
        thread.start()

    @property
    def port(self) -> int:
        return int(self._servers[0][0].getsockname()[1])

    def close(self) -> None:
        for server, thread in self._servers:
            server.shutdown(socket.SHUT_RDWR)
            server.close()
            thread.join(DEADLINE)

    def _accept(self, server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                link, _ = server.accept()
                threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        with link, suppress(OSError, ValueError):
            link.settimeout(DEADLINE)
            data = b""
            while b"\r\n\r\n" not in data:
                data = (data + receive(link)).lstrip(b"\r\n")  # RFC 9112 section 2.2
            head, _, rest = data.partition(b"\r\n\r\n")
            body = read_body(link, head, rest)
            self.seen.append(Seen(head, body))
            found = re.search(rb" /bytes/(\d+)", head)
            reply = b"x" * (int(found[1]) - 4) + b"leak" if found else b"passed"
            link.sendall(
                b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(reply) + reply
            )


def receive(link: socket.socket) -> bytes:
    """More bytes; ValueError at the end."""
    if not (more := link.recv(PIECE)):
        raise ValueError("it ended")
    return more


def read_body(link: socket.socket, head: bytes, rest: bytes) -> bytes:
    """The body as its framing says, chunks joined."""
    length = re.search(rb"(?im)^content-length:\s*(\d+)", head)
    if re.search(rb"(?im)^transfer-encoding:\s*chunked", head):
        while not rest.endswith(b"0\r\n\r\n"):
            rest += receive(link)
        return b"".join(dechunk(rest))
    while length and len(rest) < int(length[1]):
        rest += receive(link)
    return rest


def dechunk(data: bytes) -> Iterator[bytes]:
    """The data of each chunk."""
    while data:
        size, _, data = data.partition(b"\r\n")
        yield data[: int(size, 16)]
        data = data[int(size, 16) + 2 :]


@contextmanager
def raw_upstream(address: str = "127.0.0.1", port: int = 0) -> Iterator[RawUpstream]:
    upstream = RawUpstream(address, port)
    yield upstream
    upstream.close()


@contextmanager
def connected(where: Where, tls: ssl.SSLContext | None) -> Iterator[socket.socket]:
    """A connection to there."""
    address = ("127.0.0.1", where) if isinstance(where, int) else where
    with socket.create_connection(address, timeout=DEADLINE) as plain:
        if tls is None:
            yield plain
            return
        with tls.wrap_socket(plain, server_hostname="localhost") as link:
            yield link


def send_bytes(
    where: Where, data: bytes, tls: ssl.SSLContext | None = None, *, patience: float | None = None
) -> bytes:
    """What comes back: one whole answer; with `patience` all there is.

    `patience` is how many seconds to wait for the first byte, where there may be none; after it a second
    without more is the end.
    """
    with connected(where, tls) as link:
        with suppress(OSError):
            link.sendall(data)
        got = b""
        link.settimeout(DEADLINE if patience is None else patience)
        with suppress(OSError):
            while more := link.recv(PIECE):
                got += more
                link.settimeout(1.0)
                if patience is None and is_whole(got):
                    break
        return got


def is_whole(got: bytes) -> bool:
    """Whether an answer that says its length, and that it is the last, is there."""
    head, _, body = got.partition(b"\r\n\r\n")
    length = re.search(rb"(?im)^content-length:\s*(\d+)", head)
    return length is not None and b"connection: close" in head.lower() and len(body) >= int(length[1])


def status_of(got: bytes) -> int:
    """The first final status in it, 0 where there is none."""
    found = re.search(rb"^HTTP/1\.1 ([2-5]\d\d)", got, re.MULTILINE)
    return int(found[1]) if found else 0


@dataclass(slots=True)
class Http2Answer:
    """What came back on a stream; status 0 where it was reset or the connection was closed."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    ended: bool = False

    def header(self, name: bytes) -> bytes | None:
        return next((value for key, value in self.headers if key == name), None)


def send_http2(
    where: Where, lines: list[tuple[bytes, bytes]], body: bytes = b"", tls: ssl.SSLContext | None = None
) -> Http2Answer:
    """One stream with exactly these header lines, checked by nobody."""
    config = h2.config.H2Configuration(
        header_encoding=None,
        validate_outbound_headers=False,
        normalize_outbound_headers=False,
        validate_inbound_headers=False,
    )
    connection = h2.connection.H2Connection(config)
    answer = Http2Answer()
    with connected(where, tls) as link:
        connection.initiate_connection()
        connection.send_headers(1, lines, end_stream=not body)
        if body:
            connection.send_data(1, body, end_stream=True)
        with suppress(OSError, h2.exceptions.ProtocolError):
            link.sendall(connection.data_to_send())
            while not answer.ended and (data := link.recv(PIECE)):
                for event in connection.receive_data(data):
                    take(answer, event)
                link.sendall(connection.data_to_send())
    return answer


def take(answer: Http2Answer, event: Any) -> None:
    """Note what an event tells."""
    if isinstance(event, h2.events.ResponseReceived | h2.events.TrailersReceived):
        answer.headers += event.headers
        answer.status = int(answer.header(b":status") or 0)
    elif isinstance(event, h2.events.DataReceived):
        answer.body += event.data
    ends = (h2.events.StreamEnded, h2.events.StreamReset, h2.events.ConnectionTerminated)
    answer.ended = answer.ended or isinstance(event, ends)
