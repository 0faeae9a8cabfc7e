"""A server of key sets that fails in every way there is, and remembers what it was asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FAILING = ("broken", "empty", "garbage", "moved", "silent", "short", "away")
"""Issuers whose keys can not be had: each is a path there. What an answer says anyway is Mallory's."""

PATIENCE = 20.0  # seconds that "silent" says nothing


class KeyServer(ThreadingHTTPServer):
    """Answers `/ISSUER`; `told` is Mallory's key set, which nobody may believe."""

    daemon_threads = True

    def __init__(self, told: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.told = told.encode()
        self.asked: list[str] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: Any) -> None:
        """Whoever asks may go away."""


class _Handler(BaseHTTPRequestHandler):
    server: KeyServer

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        name = self.path.strip("/")
        self.server.asked.append(name)
        if name == "silent":
            self.server.over.wait(PATIENCE)
        elif name == "away":
            self.connection.close()
        elif name == "moved":
            self._answer(302, self.server.told, location=f"{self.server.url}/attacker")
        elif name == "broken":
            self._answer(500, self.server.told)
        elif name == "short":
            self._answer(200, self.server.told[:40], length=len(self.server.told))
        elif name == "attacker":
            self._answer(200, self.server.told)
        else:
            self._answer(200, b'{"keys": []}' if name == "empty" else b"<html>\xff" + self.server.told)

    def _answer(self, status: int, body: bytes, *, location: str = "", length: int | None = None) -> None:
        self.send_response(status)
        if location:
            self.send_header("location", location)
        self.send_header("content-length", str(len(body) if length is None else length))
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True


@contextmanager
def serving_keys(told: str) -> Iterator[KeyServer]:
    """A running one, in the network of the calling thread."""
    server = KeyServer(told)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
