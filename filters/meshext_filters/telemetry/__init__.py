"""Telemetry: RED metrics, W3C trace context, span attributes and metadata for the access log.

`trace_context`, `route_templates`, `cardinality` and `redaction` are plain and know nothing of a filter;
`tags` and `config` are what a configuration says, `values` reads tags, `measures` are the metrics,
`propagation` tells the upstream, `spans` is all that knows OpenTelemetry, and `filter` puts them together.
"""

from meshext_filters.telemetry.filter import Telemetry

__all__ = ["Telemetry"]
