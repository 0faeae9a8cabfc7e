"""Takes spans (OTLP) and access logs (ALS) of all sidecars on port 4317, and tells them on port 8000.

GET /spans?TRACE            every span of that trace, as JSON
GET /calls?TEXT             every call with that text in its path
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from meshext_controlplane.tap.calls import Call
from meshext_controlplane.tap.receiver import Receiver
from meshext_controlplane.tap.spans import Span

KEPT = 50_000  # records of each kind
CALLS: deque[Call] = deque(maxlen=KEPT)
SPANS: deque[Span] = deque(maxlen=KEPT)


def to_plain(record: Call | Span) -> dict[str, Any]:
    """A record as JSON has it."""
    pairs = {each.name: getattr(record, each.name) for each in fields(record)}
    told = {name: dict(value) if isinstance(value, Mapping) else value for name, value in pairs.items()}
    if isinstance(record, Call):
        told["filters"] = {name: dict(words) for name, words in record.filters.items()}
        told["refused_by"] = record.refused_by
    return told


def find(kind: str, wanted: str) -> Iterable[Call | Span]:
    """What is asked for."""
    if kind == "/spans":
        return [each for each in list(SPANS) if each.trace == wanted]
    return [each for each in list(CALLS) if wanted in each.path]


class Handler(BaseHTTPRequestHandler):
    """One question."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer."""
        asked = urlsplit(self.path)
        body = json.dumps([to_plain(each) for each in find(asked.path, asked.query)]).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


async def main() -> None:
    """Take and tell, for ever."""
    server = ThreadingHTTPServer(("0.0.0.0", 8000), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    async with Receiver("0.0.0.0:4317", on_call=CALLS.append, on_span=SPANS.append):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
