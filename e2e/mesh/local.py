"""Ask an application on its Unix socket, past every Envoy."""

from __future__ import annotations

import http.client
import socket
from pathlib import Path


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("application.invalid", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask_socket(path: Path, target: str) -> str:
    """The body of its answer to a GET; OSError where nobody answers."""
    connection = _Connection(path)
    try:
        connection.request("GET", target)
        return connection.getresponse().read().decode()
    finally:
        connection.close()
