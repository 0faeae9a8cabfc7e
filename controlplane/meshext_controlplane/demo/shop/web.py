"""What the shop's services have in common: answer JSON, call each other through the sidecar, pass traces on.

Only the standard library: nothing here knows Envoy. The sidecar tells each process where to listen
(`MESHEXT_LISTEN`) and which proxy its calls go through (`HTTP_PROXY`).
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

PASSED_ON = ("traceparent", "tracestate", "baggage", "x-request-id", "x-user")
"""Headers of a request that every call made for it carries too: the trace goes on, and so does the user."""

TIME_LIMIT = 10.0  # seconds for a call
LARGEST = 65_536  # bytes of a request's body


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. Header names are in lower case; `caller` is who the sidecar says has called."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    body: bytes = b""

    @property
    def user(self) -> str:
        """Who visits the shop."""
        return self.headers.get("x-user", "somebody")

    @property
    def caller(self) -> str:
        """The SPIFFE ID of the calling workload: Envoy writes it, and takes away what a client wrote."""
        parts = self.headers.get("x-forwarded-client-cert", "").split(";")
        return next((part[4:] for part in parts if part.startswith("URI=")), "")


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer: a status and what becomes its JSON."""

    status: int
    value: Any


Service = Callable[[Asked], Answered]


def call(asked: Asked, method: str, url: str, value: Any = None) -> Answered:
    """Call another service for a request, through the proxy of `HTTP_PROXY`; 502 where none answers."""
    headers = {name: asked.headers[name] for name in PASSED_ON if name in asked.headers}
    body = None if value is None else json.dumps(value).encode()
    if body is not None:
        headers["content-type"] = "application/json"
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=TIME_LIMIT) as answer:
            return Answered(answer.status, json.loads(answer.read()))
    except urllib.error.HTTPError as error:
        with error:
            return Answered(error.code, {"said": error.read().decode(errors="replace").strip()})
    except (OSError, ValueError) as error:
        return Answered(502, {"said": f"no answer from {urlsplit(url).netloc}: {error}"})


def serve(service: Service) -> None:
    """Answer requests until SIGTERM, at the place that the sidecar has told us."""
    server = _Server(os.environ.get("MESHEXT_LISTEN", "127.0.0.1:8080"), service)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with server:
        server.serve_forever()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, listen: str, service: Service) -> None:
        self.service = service
        if listen.startswith("unix:"):
            self.address_family = socket.AF_UNIX
            Path(listen[5:]).unlink(missing_ok=True)  # of a life before
            super().__init__(listen[5:], _Handler)  # type: ignore[arg-type]  # the type knows TCP alone
        else:
            host, _, port = listen.rpartition(":")
            super().__init__((host, int(port)), _Handler)

    def server_bind(self) -> None:
        # HTTPServer looks its own name up, which a Unix socket has none of and nobody needs.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Who asks whether we are ready does not wait for the whole answer.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        if length > LARGEST:
            self.close_connection = True
            self._send(Answered(413, {"said": f"at most {LARGEST} bytes"}))
            return
        asked = Asked(
            method=self.command,
            path=parts.path,
            query={name: values[-1] for name, values in parse_qs(parts.query).items()},
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
        )
        self._send(self.server.service(asked))

    def _send(self, answered: Answered) -> None:
        body = json.dumps(answered.value).encode() + b"\n"
        self.send_response(answered.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        """Who connects: always the sidecar."""
        return "sidecar"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its base class's
        """Nothing: the sidecar logs each request."""
