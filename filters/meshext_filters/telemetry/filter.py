"""The telemetry filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from meshext import Filter, Request, Response
from meshext.http.exchange import Exchange
from meshext.needs import Needs
from meshext_filters.telemetry import spans
from meshext_filters.telemetry.cardinality import OTHER, ValueCap
from meshext_filters.telemetry.config import AT_THE_END, TelemetryConfig, is_late
from meshext_filters.telemetry.measures import Measures
from meshext_filters.telemetry.outcomes import GRPC_STATUS, Ending, judge
from meshext_filters.telemetry.propagation import Propagator
from meshext_filters.telemetry.redaction import Redactor
from meshext_filters.telemetry.route_templates import RouteTable
from meshext_filters.telemetry.tags import Tag
from meshext_filters.telemetry.trace_context import TraceContext
from meshext_filters.telemetry.values import JWT, TagReader, clean

METHODS = frozenset("CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT TRACE QUERY".split())
OTHER_METHOD = "_OTHER"  # what the semantic conventions write for the others
SCHEMES = frozenset({"http", "https"})
PROTOCOLS = {"HTTP/1.0": "1.0", "HTTP/1.1": "1.1", "HTTP/2": "2", "HTTP/3": "3"}
SHOWN = 1024  # characters of a path or query


class Telemetry(Filter):
    """RED metrics, trace context, and an access log that tells more, for every request.

    Put it first in the chain: then it sees what the filters behind it answer. It decides nothing and fails
    open: should it fail, requests pass uncounted.

    Metrics have OpenTelemetry's names for HTTP servers, as they are over OTLP and as Prometheus shows them:
    `http_server_request_duration_seconds` with method, scheme, route, protocol version, status and error
    type (of gRPC calls too), `http_server_active_requests`, and on demand
    `http_server_request_body_size_bytes` and `http_server_response_body_size_bytes`. Beside them
    `http_server_requests_total` counts as requests come and `http_server_request_errors_total` what ended
    in 5xx, in a gRPC status that is the server's fault, or without a response. (A gRPC-Web call has its
    status in headers, which count, or at the end of the body, which is not read: put Envoy's filter
    `grpc_web` before this one, and all of them count.) Every label and every metric
    is bounded, whatever clients send; what comes on top is counted under `other`. Exemplars link counters
    and buckets to the trace of their latest request, where that is sampled.

    The caller's W3C trace context is continued, or a trace is begun, and the upstream is told. With
    `--otel` the span that the service makes of an exchange gets the attributes of the semantic conventions,
    and is the upstream's parent; without it the caller's span stays the parent.

    What looks like a secret, by its name or by its look, is redacted wherever it would show.

    ext_proc carries all of it. ext_authz carries what is known of a request, with `metrics: [requests]` and
    no tag of the response: counts, trace context, span attributes, metadata.

    Example:
        routes: ["/users/{id}", "/users/{id}/orders", "/static/**"]
        tags:
          - {name: tenant, claim: realm.tenant, to: [metrics, spans, log], max_values: 50}
          - {name: client, peer: service_account, to: [metrics]}
          - {name: cache, response_header: x-cache}
        redact: [email]

    Costs:
        100 us of CPU for a request in ext_authz and 170 us in ext_proc, beside a filter with the same hooks
        that does nothing; with `log: false` 40 and 15 us less, with `--otel` 245 us for a span with its
        attributes (a virtual machine of two cores, on which an empty ext_proc call takes 650 us;
        `python -m e2e.bench.telemetry`). A series takes about 1 KB.
    """

    name = "telemetry"
    failure = "open"
    attributes = ("request.protocol",)
    Config: TypeAlias = TelemetryConfig

    @dataclass(slots=True)
    class State:
        """What one exchange keeps: label values of request and response, and where it is in a trace."""

        labels: tuple[str, ...] = ()
        late: tuple[str, ...] = ()
        grpc_status: str = ""
        context: TraceContext | None = None

    @classmethod
    def needs(cls, config: Config) -> Needs:
        """Hooks for responses only where something of them is asked for."""
        needs = (
            super()
            .needs(config)
            .adding(
                attributes=tuple(tag.attribute for tag in config.tags if tag.attribute is not None),
                metadata_namespaces=(JWT,) if any(tag.claim is not None for tag in config.tags) else (),
            )
        )
        if not any(is_late(tag) for tag in config.tags):
            needs = needs.without("on_response")
        if not config.measured & AT_THE_END:
            needs = needs.without("on_complete", "on_response_trailers")
        return needs

    def __init__(self, config: Config) -> None:
        redactor = Redactor(config.redact)
        early = [tag for tag in config.tags if not is_late(tag)]
        late = [tag for tag in config.tags if is_late(tag)]
        self.redactor = redactor
        self.routes = RouteTable(config.routes)
        self.propagator = Propagator(config.trace)
        self.early = [BoundTag(tag, redactor) for tag in early]
        self.late = [BoundTag(tag, redactor) for tag in late]
        self.log = config.log
        self.measures = Measures(self, config, labels_of(early), labels_of(late))
        self.no_late = tuple("" for _ in labels_of(late))

    def on_request(self, request: Request[State]) -> None:
        """Everything that is known of a request before it goes on."""
        context = self.propagator.follow(request)
        route = self.routes.match(request.path) or OTHER
        values = [tag.read(request) for tag in self.early]
        labels = (
            request.method if request.method in METHODS else OTHER_METHOD,
            request.scheme if request.scheme in SCHEMES else OTHER,
            route,
            PROTOCOLS.get(str(request.attribute("request.protocol")), ""),
            *[tag.cap.place(value) for tag, value in zip(self.early, values, strict=True) if tag.to_metrics],
        )
        span = spans.recording_span()
        if span is not None:
            spans.describe(span, self.attributes_of(request, labels, values))
        if self.log:
            self.write_log(request, route, context, values)
        state = request.state
        state.labels, state.late, state.context = labels, self.no_late, context
        self.measures.begin(labels, exemplar_of(context))

    def on_response(self, response: Response[State]) -> None:
        """The tags of a response."""
        values = [tag.read_late(response) for tag in self.late]
        span = spans.recording_span()
        for tag, value in zip(self.late, values, strict=True):
            if value and span is not None and tag.to_spans:
                spans.describe(span, {tag.name: value})
            if value and self.log and tag.to_log:
                response.set_metadata(tag.name, value)
        response.state.late = tuple(
            [tag.cap.place(value) for tag, value in zip(self.late, values, strict=True) if tag.to_metrics]
        )

    def on_response_trailers(self, response: Response[State]) -> None:
        """The status of a gRPC call, where it has any response at all."""
        response.state.grpc_status = response.trailers.get(GRPC_STATUS, "")

    def on_complete(self, exchange: Exchange[State]) -> None:
        """The exchange is over: how long it took, and how it ended."""
        state = exchange.state
        if not state.labels:
            return  # `on_request` failed
        ending = judge(exchange, state.grpc_status)
        values = (*state.labels, *ending.labels, *state.late)
        sizes = exchange.request_size, exchange.response_size
        self.measures.end(values, bool(ending.error), exchange.duration, sizes, exemplar_of(state.context))
        span = spans.recording_span()
        if span is not None:
            describe_end(span, ending, *sizes)

    def attributes_of(
        self, request: Request[State], labels: tuple[str, ...], values: list[str]
    ) -> dict[str, str | int]:
        """The span attributes of a request, https://opentelemetry.io/docs/specs/semconv/http/http-spans/."""
        path, _, query = request.target.partition("?")
        said = {
            "http.request.method": labels[0],
            "url.scheme": labels[1],
            "http.route": labels[2] if labels[2] != OTHER else "",
            "network.protocol.version": labels[3],
            "url.path": clean(self.redactor.path(path[:SHOWN])),
            "url.query": clean(self.redactor.query(query[:SHOWN])),
            "server.address": clean(request.hostname),
            "client.address": request.client_address,
            "network.peer.address": request.peer.address,
            "user_agent.original": clean(self.redactor.value(request.headers.get("user-agent", "")[:SHOWN])),
            "meshext.peer.principal": request.peer.principal or "",
            "http.request.method_original": "" if labels[0] == request.method else clean(request.method),
        }
        for tag, value in zip(self.early, values, strict=True):
            if tag.to_spans:
                said[tag.name] = value
        return {name: value for name, value in said.items() if value}

    def write_log(
        self, request: Request[State], route: str, context: TraceContext | None, values: list[str]
    ) -> None:
        """The metadata of a request."""
        path, mark, query = request.target[:SHOWN].partition("?")
        request.set_metadata("route", route)
        request.set_metadata("target", clean(self.redactor.path(path) + mark + self.redactor.query(query)))
        if request.peer.principal is not None:
            request.set_metadata("peer", request.peer.principal)
        if context is not None:
            request.set_metadata("trace_id", context.trace_id)
            request.set_metadata("span_id", context.span_id)
            request.set_metadata("sampled", context.sampled)
        for tag, value in zip(self.early, values, strict=True):
            if value and tag.to_log:
                request.set_metadata(tag.name, value)


class BoundTag(TagReader):
    """A tag made ready: how to read it, where it goes, and the cap of its label."""

    def __init__(self, tag: Tag, redactor: Redactor) -> None:
        super().__init__(tag, redactor)
        self.name = tag.name
        self.to_metrics, self.to_spans, self.to_log = (each in tag.to for each in ("metrics", "spans", "log"))
        self.cap = ValueCap(tag.max_values, tag.values)


def labels_of(tags: list[Tag]) -> list[str]:
    """The labels that tags make."""
    return [tag.label for tag in tags if "metrics" in tag.to]


def exemplar_of(context: TraceContext | None) -> dict[str, str] | None:
    """What links a number to its trace; none where nobody records that."""
    if context is None or not context.sampled:
        return None
    return {"trace_id": context.trace_id, "span_id": context.span_id}


def describe_end(
    span: spans.Span, ending: Ending, request_size: int | None, response_size: int | None
) -> None:
    """The span attributes of a response, and whether it failed."""
    said: dict[str, str | int] = {}
    if ending.status:
        said["http.response.status_code"] = int(ending.status)
    if ending.grpc.isdecimal():
        said["rpc.grpc.status_code"] = int(ending.grpc)
    if request_size is not None:
        said["http.request.body.size"] = request_size
    if response_size is not None:
        said["http.response.body.size"] = response_size
    if ending.error:
        said["error.type"] = ending.error
        spans.fail(span, ending.error)
    spans.describe(span, said)
