"""Spans as plain records, from OTLP (`opentelemetry.proto.collector.trace.v1`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from meshext_proto.opentelemetry.proto.collector.trace.v1 import trace_service_pb2

LONGEST = 512  # characters of a text


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One span. `trace`, `id` and `parent` are hexadecimal, `parent` "" for a root; times in seconds since
    1970; attributes whose values are no plain text, number or truth are left out."""

    service: str
    name: str
    trace: str
    id: str
    parent: str = ""
    start: float = 0.0
    end: float = 0.0
    attributes: Mapping[str, str | int | float | bool] = field(default_factory=lambda: MappingProxyType({}))


def to_spans(request: trace_service_pb2.ExportTraceServiceRequest) -> Iterator[Span]:
    """Every span of an export. Total: what is missing is empty."""
    for group in request.resource_spans:
        service = str(to_plain(group.resource.attributes).get("service.name", ""))
        # `scope_spans` since OTLP 0.15: a new name for the same field.
        for scope in group.instrumentation_library_spans:
            for span in scope.spans:
                yield Span(
                    service=service,
                    name=span.name[:LONGEST],
                    trace=span.trace_id.hex(),
                    id=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    start=span.start_time_unix_nano / 1e9,
                    end=span.end_time_unix_nano / 1e9,
                    attributes=MappingProxyType(to_plain(span.attributes)),
                )


def to_plain(attributes: Any) -> dict[str, str | int | float | bool]:
    """`opentelemetry.proto.common.v1.KeyValue`s whose values are scalars."""
    found: dict[str, str | int | float | bool] = {}
    for each in attributes:
        kind = each.value.WhichOneof("value")
        if kind in ("string_value", "int_value", "double_value", "bool_value"):
            value = getattr(each.value, kind)
            found[each.key[:LONGEST]] = value[:LONGEST] if isinstance(value, str) else value
    return found
