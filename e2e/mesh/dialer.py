"""A gRPC client of a test without an Envoy: calls others by xds:/// when it is asked on its Unix socket.

GET /call?target=T&method=M&meta=k:v&seconds=S   {"code", "details", "reply"} of one call
GET /load?target=T                               begins calls that go on; what came back so far as JSON
GET /enough                                      ends them; the same

Channels stay open, as those of applications do.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections import Counter
from functools import cache
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import grpc

from e2e.mesh.application import Server

METHOD = "/greet.Greeter/Say"
CALLERS = 4


@cache
def open_channel(target: str) -> grpc.Channel:
    """One channel for each target; what the mesh says decides how it is secured.

    Behind an Envoy any other target goes by $http_proxy.
    """
    if not target.startswith("xds:"):
        return grpc.insecure_channel(target)
    return grpc.secure_channel(target, grpc.xds_channel_credentials())


def call(
    target: str, method: str = METHOD, metadata: tuple[tuple[str, str], ...] = (), seconds: float = 10.0
) -> dict[str, Any]:
    """One call, without waiting for a target that is not there."""
    say: grpc.UnaryUnaryMultiCallable[bytes, bytes] = open_channel(target).unary_unary(method)
    try:
        reply = say(b"", metadata=metadata, timeout=seconds)
    except grpc.RpcError as error:
        failed: Any = error
        return {"code": failed.code().name, "details": failed.details(), "reply": None}
    return {"code": "OK", "details": "", "reply": json.loads(reply)}


class Load:
    """Calls that go on in threads until it has been enough; by code, and by who has answered."""

    def __init__(self, target: str) -> None:
        self.kinds: Counter[str] = Counter()
        self.names: Counter[str] = Counter()
        self.problems: list[str] = []
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(target,)) for _ in range(CALLERS)]
        for thread in self._threads:
            thread.start()

    def _run(self, target: str) -> None:
        while not self._done.is_set():
            got = call(target)
            with self._lock:
                self.kinds[got["code"]] += 1
                if got["reply"]:
                    self.names[got["reply"]["name"]] += 1
                else:
                    self.problems.append(got["details"])

    def look(self) -> dict[str, Any]:
        """What came back so far."""
        with self._lock:
            return {
                "kinds": dict(self.kinds),
                "names": dict(self.names),
                "problems": self.problems[:5],
                "count": self.kinds.total(),
            }

    def end(self) -> dict[str, Any]:
        """The last of it."""
        self._done.set()
        for thread in self._threads:
            thread.join()
        return self.look()


LOADS: dict[str, Load] = {}


def answer(path: str, asked: dict[str, list[str]]) -> dict[str, Any]:
    """What one of the questions above is answered with."""
    target = asked.get("target", [""])[0]
    if path == "/call":
        split = (each.partition(":") for each in asked.get("meta", []))
        pairs = tuple((key, value) for key, _, value in split)
        seconds = float(asked.get("seconds", ["10"])[0])
        return call(target, asked.get("method", [METHOD])[0], pairs, seconds)
    if path == "/load":
        load = LOADS.get(target) or LOADS.setdefault(target, Load(target))
        return load.look()
    return LOADS.pop(target).end()


class Handler(BaseHTTPRequestHandler):
    """One question."""

    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        return "test"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        path = urlsplit(self.path)
        body = json.dumps(answer(path.path, parse_qs(path.query))).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    place = sys.argv[1]
    if os.path.exists(place):
        os.unlink(place)
    Server(place, Handler).serve_forever()
