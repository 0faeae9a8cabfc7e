"""A small OpenTelemetry collector: OTLP over gRPC, kept in memory."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc

Key = tuple[str, tuple[tuple[str, str], ...]]
"""The name of a metric, and the attributes of one series."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One exported span."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, Any]


@dataclass(slots=True)
class Collector:
    """Everything that arrived: of each series the last value, and trace and span of its last exemplars."""

    port: int = 0
    spans: list[Span] = field(default_factory=list)
    numbers: dict[tuple[str, tuple[tuple[str, str], ...]], float] = field(default_factory=dict)
    exemplars: dict[tuple[str, tuple[tuple[str, str], ...]], set[tuple[str, str]]] = field(
        default_factory=dict
    )
    services: set[str] = field(default_factory=set)

    def of(self, service: str) -> list[Span]:
        """The spans of one service."""
        return [span for span in self.spans if span.service == service]


class Traces(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802  # gRPC's
        for group in request.resource_spans:
            service = to_plain(group.resource.attributes)["service.name"]
            for scope in group.scope_spans:
                self._collector.spans += [
                    Span(
                        service=service,
                        name=span.name,
                        trace=span.trace_id.hex(),
                        id=span.span_id.hex(),
                        parent=span.parent_span_id.hex(),
                        attributes=to_plain(span.attributes),
                    )
                    for span in scope.spans
                ]
        return traces.ExportTraceServiceResponse()


class Metrics(metrics_service_pb2_grpc.MetricsServiceServicer):
    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802  # gRPC's
        for group in request.resource_metrics:
            self._collector.services.add(to_plain(group.resource.attributes)["service.name"])
            for scope in group.scope_metrics:
                for metric in scope.metrics:
                    for point in getattr(metric, metric.WhichOneof("data")).data_points:
                        key = metric.name, tuple(sorted(to_plain(point.attributes).items()))
                        value = point.count if hasattr(point, "count") else read_number(point)
                        self._collector.numbers[key] = value
                        self._collector.exemplars[key] = {
                            (each.trace_id.hex(), each.span_id.hex()) for each in point.exemplars
                        }
        return metrics.ExportMetricsServiceResponse()


def read_number(point: Any) -> float:
    """The value of a number's data point."""
    return float(getattr(point, point.WhichOneof("value")))


def to_plain(attributes: Any) -> dict[str, Any]:
    """Attributes as a dict."""
    found = {}
    for each in attributes:
        kind = each.value.WhichOneof("value")
        value = getattr(each.value, kind)
        found[each.key] = [item.string_value for item in value.values] if kind == "array_value" else value
    return found


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free port of 127.0.0.1."""
    collector = Collector()
    server = grpc.server(ThreadPoolExecutor(4))
    add_traces: Any = trace_service_pb2_grpc.add_TraceServiceServicer_to_server
    add_metrics: Any = metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server
    add_traces(Traces(collector), server)
    add_metrics(Metrics(collector), server)
    collector.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield collector
    finally:
        server.stop(0).wait()
