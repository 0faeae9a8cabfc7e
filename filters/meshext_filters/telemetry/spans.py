"""The span that the host has made for this exchange, through the OpenTelemetry API; the only module that
knows it.

Without `--otel` there is none: everything here answers None and does nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry.trace import Span, Status, StatusCode

from meshext_filters.telemetry.trace_context import KNOWN_FLAGS, TraceContext

__all__ = ["Span", "current_context", "describe", "fail", "recording_span"]

Attributes = Mapping[str, str | int]


def recording_span() -> Span | None:
    """The span of this exchange where it is recorded."""
    span = trace.get_current_span()
    return span if span.is_recording() else None


def current_context() -> tuple[TraceContext, str] | None:
    """The trace that the host has put this exchange into, and its tracestate; None where it has not."""
    found = trace.get_current_span().get_span_context()
    if not found.is_valid:
        return None
    context = TraceContext(
        trace.format_trace_id(found.trace_id),
        trace.format_span_id(found.span_id),
        found.trace_flags & KNOWN_FLAGS,
    )
    return context, found.trace_state.to_header()


def describe(span: Span, attributes: Attributes) -> None:
    """Put attributes on a span."""
    span.set_attributes(attributes)


def fail(span: Span, description: str) -> None:
    """Mark a span as one that went wrong."""
    span.set_status(Status(StatusCode.ERROR, description))
