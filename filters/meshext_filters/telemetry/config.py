"""What a configuration of the telemetry filter may say."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from meshext.attributes import ATTRIBUTES
from meshext.series import MAX_SERIES
from meshext_filters.telemetry.route_templates import RouteTable
from meshext_filters.telemetry.tags import Tag

Measured = Literal["requests", "errors", "duration", "active", "request_size", "response_size"]

REQUEST_LABELS = ("http_request_method", "url_scheme", "http_route", "network_protocol_version")
RESPONSE_LABELS = ("http_response_status_code", "rpc_grpc_status_code", "error_type")
TAKEN = frozenset({*REQUEST_LABELS, *RESPONSE_LABELS, "filter", "exported_filter", "le", "other"})
LOG_KEYS = frozenset({"route", "target", "peer", "trace_id", "span_id", "sampled"})
AT_THE_END = frozenset({"errors", "duration", "active", "request_size", "response_size"})
MOST_ROUTES = 500
LEAST_SERIES = 10
MOST_LABELS = 10
MOST_BUCKETS = 50
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Seconds, as the semantic conventions advise for `http.server.request.duration`."""


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What becomes of W3C trace context."""

    propagate: bool = True
    """Write `traceparent` and `tracestate` to the upstream, and drop broken ones. With `false` they pass as
    they come."""

    start: bool = True
    """Begin a trace where the caller sends none, or a broken one; only where it is propagated."""

    sample: float = 1.0
    """The share of the traces begun here that are sampled, 0 to 1. With `--otel` its sampler decides
    instead, and the caller's word always counts first."""

    def __post_init__(self) -> None:
        if not 0 <= self.sample <= 1:
            raise ValueError(f"sample: {self.sample} is no share; write 0 to 1, such as 0.1")


@dataclass(frozen=True, kw_only=True)
class TelemetryConfig:
    """The configuration of the telemetry filter; every field has a default."""

    routes: tuple[str, ...] = ()
    """Route templates: `/users/{id}`, `/reports/{name}.json`, `/static/**`. A path that none matches is
    counted under the route `other`. The path is the one that the upstream sees, as Envoy normalised it."""

    metrics: tuple[Measured, ...] = ("requests", "errors", "duration", "active")
    """What is measured. `requests` alone fits ext_authz; the others need the end of the exchange, so
    ext_proc."""

    tags: tuple[Tag, ...] = ()
    """What else to take out of each request."""

    trace: Trace = field(default_factory=Trace)
    """W3C trace context."""

    log: bool = True
    """Write dynamic metadata `meshext.telemetry` for Envoy's access log:
    `%DYNAMIC_METADATA(meshext.telemetry:route)%`, and `trace_id`, `span_id`, `sampled`, `peer`, `target`
    (path and query, redacted) and the tags."""

    redact: tuple[str, ...] = ()
    """Names of query parameters and claims whose values never show, beside those that sound like a secret."""

    buckets: tuple[float, ...] = BUCKETS
    """Upper bounds of the duration's buckets, in seconds, ascending."""

    max_series: int = 500
    """The most series that each metric may have, in a worker and in the total over workers, 10 to 1000; what
    comes later is counted under `other`."""

    def __post_init__(self) -> None:
        self._check_routes()
        self._check_tags()
        self._check_numbers()

    def _check_routes(self) -> None:
        if len(self.routes) > MOST_ROUTES:
            raise ValueError(
                f"routes: {len(self.routes)} are too many; write {MOST_ROUTES} at most, wider ones"
            )
        table = RouteTable(())
        for number, template in enumerate(self.routes):
            try:
                table.add(template)
            except ValueError as error:
                raise ValueError(f"routes[{number}]: {error}") from None

    def _check_tags(self) -> None:
        seen: dict[str, str] = {}
        for number, tag in enumerate(self.tags):
            if tag.label in seen:
                raise ValueError(
                    f"tags[{number}]: name: {tag.name!r} is the same as {seen[tag.label]!r} as a "
                    f"label; write another"
                )
            seen[tag.label] = tag.name
            if "metrics" in tag.to and tag.label in TAKEN:
                raise ValueError(
                    f"tags[{number}]: name: {tag.name!r} is the filter's own label; write another"
                )
            if "log" in tag.to and tag.name in LOG_KEYS:
                raise ValueError(
                    f"tags[{number}]: name: {tag.name!r} is in the metadata anyway; write another"
                )
            if "metrics" in tag.to and is_late(tag) and not self.measured & {"duration", "errors"}:
                raise ValueError(
                    f"tags[{number}]: to: {tag.name!r} is of the response, which `requests` does not see; "
                    "add duration or errors to `metrics`, or take metrics out of `to`"
                )
        labels = [tag for tag in self.tags if "metrics" in tag.to]
        if len(labels) > MOST_LABELS:
            raise ValueError(
                f"tags: {len(labels)} go to metrics; write {MOST_LABELS} at most, the rest to spans"
            )

    def _check_numbers(self) -> None:
        if len(set(self.metrics)) != len(self.metrics):
            raise ValueError(f"metrics: names one twice, got {list(self.metrics)}; write each once")
        if "" in self.redact:
            raise ValueError(f"redact[{self.redact.index('')}]: is empty; write a name such as 'email'")
        ascending = all(low < high for low, high in pairwise(self.buckets))
        if not 1 <= len(self.buckets) <= MOST_BUCKETS or not ascending or self.buckets[0] <= 0:
            raise ValueError(
                f"buckets: {list(self.buckets)!r:.100}: write 1 to {MOST_BUCKETS} ascending seconds above 0, "
                "such as [0.1, 0.5, 1]"
            )
        if not LEAST_SERIES <= self.max_series <= MAX_SERIES:
            raise ValueError(
                f"max_series: {self.max_series} is out of range; write {LEAST_SERIES} to {MAX_SERIES}"
            )

    @property
    def measured(self) -> frozenset[str]:
        """What is measured."""
        return frozenset(self.metrics)


def is_late(tag: Tag) -> bool:
    """Whether a tag is of the response."""
    if tag.response_header is not None:
        return True
    return tag.attribute is not None and ATTRIBUTES[tag.attribute].phase == "response"
