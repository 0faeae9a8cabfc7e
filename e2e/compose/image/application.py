"""An application that knows nothing of the mesh: says who it is and what it was sent.

python3 application.py NAME [--http PORT] [--tcp PORT] [--tls PORT] [--greeting PORT]

Each as often as you want. HTTP answers JSON {"name", "path", "headers", "peer"}. TCP answers each line with
the name before it. TLS does the same and names what the client asked for, with a certificate that nobody
trusts. A greeting comes unasked.
"""

from __future__ import annotations

import argparse
import json
import socket
import socketserver
import ssl
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NAME = ""
EVERYWHERE = "::"
"""IPv4 as well, as servers do it that know both protocols."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer."""
        told = {
            "name": NAME,
            "path": self.path,
            "headers": dict(self.headers),
            "peer": self.client_address[0],
        }
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Lines(socketserver.StreamRequestHandler):
    """One connection of lines."""

    def handle(self) -> None:
        """Answer each."""
        while line := self.rfile.readline(4096):
            asked = getattr(self.request, "asked", "")
            self.wfile.write(f"{NAME}{asked}: ".encode() + line)


class HttpServer(ThreadingHTTPServer):
    """HTTP."""

    address_family = socket.AF_INET6


class TcpServer(socketserver.ThreadingTCPServer):
    """Plain connections."""

    address_family = socket.AF_INET6
    daemon_threads = True
    allow_reuse_address = True


class Greeter(socketserver.BaseRequestHandler):
    """One connection in which the server speaks first, and alone."""

    def handle(self) -> None:
        """Say it."""
        self.request.sendall(f"{NAME}: hello\n".encode())


class TlsSocket(ssl.SSLSocket):
    """A connection that remembers the name it was asked for."""

    asked = ""


class TlsServer(TcpServer):
    """Connections with TLS."""

    def __init__(self, port: int) -> None:
        super().__init__((EVERYWHERE, port), Lines)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.sslsocket_class = TlsSocket
        self.context.sni_callback = self._note
        with tempfile.NamedTemporaryFile() as file:
            wanted = f"-newkey rsa:2048 -nodes -subj /CN={NAME} -days 2 -keyout {file.name} -out {file.name}"
            command = ["openssl", "req", "-x509", *wanted.split()]
            subprocess.run(command, check=True, capture_output=True)
            self.context.load_cert_chain(file.name)

    @staticmethod
    def _note(connection: Any, name: str | None, _: ssl.SSLContext) -> None:
        connection.asked = f" as {name}"

    def get_request(self) -> tuple[socket.socket, Any]:
        """Shake hands."""
        connection, address = super().get_request()
        connection.settimeout(10)
        return self.context.wrap_socket(connection, server_side=True), address


def main() -> None:
    """Serve at each port that is asked for, for ever."""
    global NAME
    parser = argparse.ArgumentParser(description="an application of the suite")
    parser.add_argument("name")
    for kind in ("http", "tcp", "tls", "greeting"):
        parser.add_argument(f"--{kind}", type=int, metavar="PORT", action="append", default=[])
    given = parser.parse_args()
    NAME = given.name
    servers: list[socketserver.BaseServer] = [
        *(HttpServer((EVERYWHERE, port), Handler) for port in given.http),
        *(TcpServer((EVERYWHERE, port), Lines) for port in given.tcp),
        *(TlsServer(port) for port in given.tls),
        *(TcpServer((EVERYWHERE, port), Greeter) for port in given.greeting),
    ]
    threads = [threading.Thread(target=each.serve_forever) for each in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
