"""Names by which OpenTelemetry knows what Prometheus shows under another one.

https://opentelemetry.io/docs/specs/semconv/http/http-metrics/, and how its names become Prometheus':
https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/. What goes to a collector
has OpenTelemetry's names again, so that its dashboards find it; what is not here keeps the name that it has.
"""

from __future__ import annotations

from collections.abc import Mapping

METRICS: Mapping[str, tuple[str, str]] = {
    "http_server_request_duration_seconds": ("http.server.request.duration", "s"),
    "http_server_active_requests": ("http.server.active_requests", "{request}"),
    "http_server_request_body_size_bytes": ("http.server.request.body.size", "By"),
    "http_server_response_body_size_bytes": ("http.server.response.body.size", "By"),
}
"""A metric's name and unit."""

ATTRIBUTES: Mapping[str, str] = {
    "http_request_method": "http.request.method",
    "http_response_status_code": "http.response.status_code",
    "rpc_grpc_status_code": "rpc.grpc.status_code",
    "http_route": "http.route",
    "url_scheme": "url.scheme",
    "network_protocol_version": "network.protocol.version",
    "error_type": "error.type",
}
"""A label's name."""

NUMBERS = frozenset({"http.response.status_code", "rpc.grpc.status_code"})
"""Attributes that are whole numbers."""


def to_metric(name: str) -> tuple[str, str | None]:
    """The name of a metric for OpenTelemetry, and its unit where that is known."""
    return METRICS.get(name, (name, None))


def to_attribute(label: str, value: str) -> tuple[str, str | int]:
    """A label as an attribute."""
    name = ATTRIBUTES.get(label, label)
    return name, int(value) if name in NUMBERS and value.isascii() and value.isdecimal() else value
