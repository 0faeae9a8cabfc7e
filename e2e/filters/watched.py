"""A filter that counts, traces and logs."""

from __future__ import annotations

import logging
import os

from opentelemetry import trace

from meshext import Counter, Filter, Request, Respond

log = logging.getLogger("watched")
tracer = trace.get_tracer("watched")


class Watched(Filter):
    seen = Counter("watched_seen_total", help="Requests.")

    def on_request(self, request: Request) -> Respond | None:
        self.seen.inc()
        request.headers["x-worker"] = str(os.getpid())
        with tracer.start_as_current_span("inside"):
            log.warning("saw\n%s", request.path)
        if request.path == "/raise":
            raise ValueError("as asked")
        return Respond(403) if request.path == "/stop" else None
