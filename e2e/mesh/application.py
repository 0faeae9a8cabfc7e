"""A workload of a test: says who it is and what it was sent, and calls others through its proxy.

GET /ANYTHING            {"name", "path", "headers"}
GET /call?url=URL        what that URL answers, by way of $HTTP_PROXY: {"status", "body", "headers"}
GET /whoami?audience=A   what the Workload API says that it is: {"id", "token", "trusted"}

With a file `failing` beside its socket, it answers the first with 500.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import socketserver
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

NAME = os.environ.get("MESHEXT_NAME", "")
FAILING = Path(sys.argv[1]).with_name("failing")


class Handler(BaseHTTPRequestHandler):
    """One connection of the sidecar."""

    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        return "sidecar"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        path = urlsplit(self.path)
        if path.path == "/call":
            self.answer(call(parse_qs(path.query)["url"][0]))
        elif path.path == "/whoami":
            self.answer(whoami(parse_qs(path.query)["audience"][0]))
        else:
            status = 500 if FAILING.exists() else 200
            self.answer({"name": NAME, "path": self.path, "headers": dict(self.headers)}, status)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", "0")))
        self.do_GET()

    def answer(self, value: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def call(url: str) -> dict[str, Any]:
    """What a URL answers to a request that goes to the proxy in absolute form."""
    proxy = urlsplit(os.environ["HTTP_PROXY"])
    connection = http.client.HTTPConnection(proxy.hostname or "", proxy.port, timeout=20)
    try:
        connection.request("GET", url, headers={"host": urlsplit(url).netloc})
        response = connection.getresponse()
        text = response.read().decode()
        return {"status": response.status, "body": text, "headers": dict(response.getheaders())}
    finally:
        connection.close()


def whoami(audience: str) -> dict[str, Any]:
    """Who the application is, found out as any application would: by $SPIFFE_ENDPOINT_SOCKET alone."""
    from spiffe import WorkloadApiClient

    with WorkloadApiClient(default_timeout=20) as client:
        context = client.fetch_x509_context()
        token = client.fetch_jwt_svid({audience})
    bundle = context.x509_bundle_set.get_bundle_for_trust_domain(context.default_svid.spiffe_id.trust_domain)
    trusted = 0 if bundle is None else len(bundle.x509_authorities)
    return {"id": str(context.default_svid.spiffe_id), "token": token.token, "trusted": trusted}


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Serves on a Unix socket."""

    daemon_threads = True
    request_queue_size = 512

    def get_request(self) -> tuple[socket.socket, Any]:
        request, _ = super().get_request()
        return request, ("sidecar", 0)


if __name__ == "__main__":
    path = sys.argv[1]
    if os.path.exists(path):
        os.unlink(path)
    Server(path, Handler).serve_forever()
