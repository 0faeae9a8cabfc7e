"""Prints what Envoy's admin interface says: admin.py FOLDER PATH, as root in a sidecar's container."""

from __future__ import annotations

import http.client
import socket
import sys


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("admin", timeout=10)
        self._path = path

    def connect(self) -> None:
        """Connect to the file."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


if __name__ == "__main__":
    connection = UnixConnection(f"{sys.argv[1]}/envoy/admin.sock")
    connection.request("GET", sys.argv[2])
    sys.stdout.write(connection.getresponse().read().decode())
