"""Both ends of a connection, played by the test itself: it says who sends what, and in which order."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

from e2e.raw import DEADLINE, PIECE
from e2e.stage import Stage, staged
from meshext.envoy.upstreams import parse_upstream


class Link:
    """One connection with what was read of it and not yet asked for; everything waits `DEADLINE` at most."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._got = b""
        sock.settimeout(DEADLINE)

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def chunk(self, data: bytes) -> None:
        """One chunk of a chunked body; an empty one is the last."""
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def until(self, mark: bytes) -> bytes:
        """Everything up to the mark, with it."""
        while mark not in self._got:
            self._got += self._receive()
        found, _, self._got = self._got.partition(mark)
        return found + mark

    def take(self, size: int) -> bytes:
        """Exactly so many bytes."""
        while len(self._got) < size:
            self._got += self._receive()
        found, self._got = self._got[:size], self._got[size:]
        return found

    def head(self) -> bytes:
        """A request or response head."""
        return self.until(b"\r\n\r\n")

    def next_chunk(self) -> bytes:
        """The data of one chunk; trailers stay unread behind the last one, which is empty."""
        size = int(self.until(b"\r\n"), 16)
        data = self.take(size)
        if size:
            self.until(b"\r\n")
        return data

    def ended(self) -> bool:
        """Whether the other side ends the connection, reset or closed; what it still sends is dropped.

        Then this side ends it too; TimeoutError where neither happens.
        """
        with self, suppress(ConnectionError):
            while self._sock.recv(PIECE):
                pass
        return True

    def reset(self) -> None:
        """End it at once with a TCP reset."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self._sock.close()

    def close(self) -> None:
        self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _receive(self) -> bytes:
        if not (more := self._sock.recv(PIECE)):
            raise ConnectionResetError(f"it ended after {self._got!r}")
        return more


class PlayedUpstream:
    """A listening socket; the test accepts and answers every connection itself."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self._server.settimeout(DEADLINE)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.getsockname()[1]}"

    def accept(self) -> Link:
        return Link(self._server.accept()[0])

    def close(self) -> None:
        self._server.close()


@contextmanager
def played_upstream() -> Iterator[PlayedUpstream]:
    upstream = PlayedUpstream()
    try:
        yield upstream
    finally:
        upstream.close()


@contextmanager
def playing(*specs: str, **options: Any) -> Iterator[tuple[Stage, PlayedUpstream]]:
    """A stage for filters of `e2e/filters` whose upstream the test plays."""
    with played_upstream() as upstream:
        upstreams = (parse_upstream(f"played={upstream.address}"),)
        with staged(*specs, upstreams=upstreams, **options) as stage:
            yield stage, upstream


def connect(port: int) -> Link:
    """A client's connection to a port here."""
    return Link(socket.create_connection(("127.0.0.1", port), timeout=DEADLINE))


def request(method: str = "GET", target: str = "/", *lines: str) -> bytes:
    """A request head."""
    return "\r\n".join([f"{method} {target} HTTP/1.1", "host: played", *lines, "", ""]).encode()


def response(status: int = 200, *lines: str) -> bytes:
    """A response head."""
    return "\r\n".join([f"HTTP/1.1 {status} Played", *lines, "", ""]).encode()


def status_of(head: bytes) -> int:
    """The status of a response head."""
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
    assert found, head
    return int(found[1])
