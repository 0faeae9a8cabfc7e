"""Trace context from the caller to the upstream: continued, or begun."""

from __future__ import annotations

import random
from typing import Any

from meshext import Request
from meshext_filters.telemetry.config import Trace
from meshext_filters.telemetry.spans import current_context
from meshext_filters.telemetry.trace_context import (
    RANDOM,
    SAMPLED,
    TraceContext,
    is_tracestate,
    parse_traceparent,
)

TRACEPARENT, TRACESTATE = "traceparent", "tracestate"


class Propagator:
    """Decides on the context of a request and writes it to the upstream, as configured."""

    def __init__(self, config: Trace) -> None:
        self._propagate = config.propagate
        self._start = config.start and config.propagate
        self._sample = config.sample

    def follow(self, request: Request[Any]) -> TraceContext | None:
        """The context of this request: that of the host's span, else the caller's, else a new one.

        The upstream is told of it. A caller's `tracestate` goes on where its trace does and is well formed.
        """
        lines = request.headers.get_all(TRACEPARENT)
        received = parse_traceparent(lines) if lines else None
        current = current_context()
        context = current[0] if current else received
        if context is None and self._start:
            context = start_trace(self._sample)
        if self._propagate:
            state = current[1] if current else ""
            self._write(request, lines, received, context, state)
        return context

    def _write(
        self,
        request: Request[Any],
        lines: list[str],
        received: TraceContext | None,
        context: TraceContext | None,
        state: str,
    ) -> None:
        headers = request.headers
        if context is None:
            if lines:
                del headers[TRACEPARENT]
        elif lines != [text := context.to_traceparent()]:
            headers[TRACEPARENT] = text
        same = received is not None and context is not None and received.trace_id == context.trace_id
        if same:
            if TRACESTATE in headers and not is_tracestate(headers.get_all(TRACESTATE)):
                del headers[TRACESTATE]
        elif state:
            headers[TRACESTATE] = state
        elif TRACESTATE in headers:
            del headers[TRACESTATE]


def start_trace(share: float) -> TraceContext:
    """A new trace, of which that share is sampled."""
    sampled = share >= 1 or random.random() < share
    trace_id = f"{random.getrandbits(128) or 1:032x}"  # an id, not a secret
    return TraceContext(trace_id, f"{random.getrandbits(64) or 1:016x}", RANDOM | (SAMPLED if sampled else 0))
