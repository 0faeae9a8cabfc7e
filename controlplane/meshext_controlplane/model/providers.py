"""`extensionProviders` of MeshConfig: services beside the mesh that documents mean by name (Istio's).

A `service` is a host of the mesh, `shop/policies.shop.svc.cluster.local` where a namespace is to be said.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from meshext_controlplane.model.base import Model
from meshext_controlplane.model.filter_source import FilterSource
from meshext_controlplane.model.log_format import LogText
from meshext_controlplane.model.service_host import ServiceHost
from meshext_controlplane.model.values import Duration, Port

LARGEST_BODY = 4 * 1024 * 1024  # bytes that a provider may ask for
STATUS = frozenset({*range(400, 418), *range(421, 425), 426, 428, 429, 431, *range(500, 509), 510, 511})
"""Errors that Envoy knows (`envoy.type.v3.StatusCode`)."""

_ASK_FOR_IT = "write a provider of the supported kinds"
_BY_OTEL = "write opentelemetry, and send it on with a collector"


def check_status(text: str) -> str:
    """The number of an HTTP status that is an error, as text; ValueError if it is none."""
    if not (text.isascii() and text.isdigit() and int(text[:4]) in STATUS):
        raise ValueError(f'{text[:20]!r} is no status of an error; write for example "403"')
    return text


def check_pattern(text: str) -> str:
    """A header's name, or one with `*` at its start or end; ValueError if it is none."""
    if (not text.strip("*") and text != "*") or "*" in text[1:-1]:
        raise ValueError(f"{text[:60]!r} is no name of headers; write x-user, x-* or *-id")
    return text


Status = Annotated[str, AfterValidator(check_status)]
HeaderPattern = Annotated[str, AfterValidator(check_pattern)]


class BodyInCheck(Model):
    """`includeRequestBodyInCheck`: how much of a body the service gets."""

    max_request_bytes: Annotated[int, Field(ge=1, le=LARGEST_BODY)]
    allow_partial_message: bool = False
    pack_as_bytes: bool = False


class ExtAuthz(Model):
    """What both kinds of external authorization have. Without `timeout` it is Istio's, ten minutes."""

    service: ServiceHost
    port: Port
    timeout: Duration | None = None
    fail_open: bool = False
    clear_route_cache: bool = False
    status_on_error: Status = "403"
    include_request_body_in_check: BodyInCheck | None = None


class ExtAuthzGrpc(ExtAuthz):
    """`envoyExtAuthzGrpc`: a gRPC service, such as `meshext serve --mode authz`."""


class ExtAuthzHttp(ExtAuthz):
    """`envoyExtAuthzHttp`: a service that is sent the request itself and answers with a status."""

    path_prefix: str = ""
    include_request_headers_in_check: tuple[HeaderPattern, ...] = ()
    include_additional_headers_in_check: dict[str, str] = Field(default_factory=dict)
    headers_to_upstream_on_allow: tuple[HeaderPattern, ...] = ()
    headers_to_downstream_on_deny: tuple[HeaderPattern, ...] = ()
    headers_to_downstream_on_allow: tuple[HeaderPattern, ...] = ()

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"includeHeadersInCheck": "write includeRequestHeadersInCheck"}
    )


class LogFormat(Model):
    """How a line of the access log looks: `text`, or `labels` as JSON; Envoy's command operators in both."""

    text: LogText | None = None
    labels: dict[str, LogText] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.text is None) == (self.labels is None):
            raise ValueError("text and labels exclude each other; write one of them")
        return self


class FileAccessLog(Model):
    """`envoyFileAccessLog`."""

    path: Annotated[str, Field(min_length=1)] = "/dev/stdout"
    log_format: LogFormat | None = None
    omit_empty_values: bool = False


class GrpcAccessLog(Model):
    """`envoyHttpAls`: entries of HTTP requests to an access log service."""

    service: ServiceHost
    port: Port
    log_name: str = "http_envoy_accesslog"
    additional_request_headers_to_log: tuple[str, ...] = ()
    additional_response_headers_to_log: tuple[str, ...] = ()
    additional_response_trailers_to_log: tuple[str, ...] = ()
    filter_state_objects_to_log: tuple[str, ...] = ()


class OtelLabels(Model):
    """`logFormat` of `envoyOtelAls`: the body's text, and attributes beside it."""

    text: LogText | None = None
    labels: dict[str, LogText] = Field(default_factory=dict)


class OtelAccessLog(Model):
    """`envoyOtelAls`: entries to OpenTelemetry's logs service."""

    service: ServiceHost
    port: Port
    log_name: str = "otel_envoy_accesslog"
    log_format: OtelLabels | None = None


class OtelTracing(Model):
    """`opentelemetry`: spans over OTLP/gRPC."""

    service: ServiceHost
    port: Port
    max_tag_length: Annotated[int, Field(ge=1)] | None = None

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        dict.fromkeys("http grpc resourceDetectors dynatraceSampler serviceAttributeEnrichment".split(), "")
    )


class ZipkinTracing(Model):
    """`zipkin`: spans in Zipkin's JSON."""

    service: ServiceHost
    port: Port
    max_tag_length: Annotated[int, Field(ge=1)] | None = None
    enable64bit_trace_id: Annotated[bool, Field(alias="enable64bitTraceId")] = False
    path: Annotated[str, Field(pattern="^/")] = "/api/v2/spans"

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        dict.fromkeys("traceContextOption timeout headers".split(), "")
    )


class Prometheus(Model):
    """`prometheus`: Envoy's own statistics, which it shows to whoever scrapes it."""


class FilterProvider(FilterSource):
    """`meshextFilter`: a Python filter that CUSTOM policies ask; our own kind."""

    mode: Literal["authz"] = "authz"


KINDS = (
    "meshext_filter envoy_ext_authz_grpc envoy_ext_authz_http envoy_file_access_log envoy_http_als "
    "envoy_otel_als opentelemetry zipkin prometheus"
).split()


class Provider(Model):
    """One provider: its name, and exactly one kind."""

    name: Annotated[str, Field(min_length=1, max_length=253)]
    meshext_filter: FilterProvider | None = None
    envoy_ext_authz_grpc: ExtAuthzGrpc | None = None
    envoy_ext_authz_http: ExtAuthzHttp | None = None
    envoy_file_access_log: FileAccessLog | None = None
    envoy_http_als: GrpcAccessLog | None = None
    envoy_otel_als: OtelAccessLog | None = None
    opentelemetry: OtelTracing | None = None
    zipkin: ZipkinTracing | None = None
    prometheus: Prometheus | None = None

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "datadog": _BY_OTEL,
            "envoyTcpAls": "write envoyFileAccessLog or envoyOtelAls",
            "lightstep": _BY_OTEL,
            "opencensus": _BY_OTEL,
            "sds": _ASK_FOR_IT,
            "skywalking": _BY_OTEL,
            "stackdriver": _BY_OTEL,
        }
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            names = ", ".join(type(self).model_fields[kind].alias or kind for kind in KINDS)
            raise ValueError(f"{self.name!r} has {len(given)} kinds; write exactly one of {names}")
        return self

    @property
    def ext_authz(self) -> ExtAuthz | None:
        """Its external authorization, of either kind."""
        return self.envoy_ext_authz_grpc or self.envoy_ext_authz_http

    @property
    def logs(self) -> bool:
        """Whether access logs may go to it."""
        return any((self.envoy_file_access_log, self.envoy_http_als, self.envoy_otel_als))

    @property
    def traces(self) -> bool:
        """Whether spans may go to it."""
        return self.opentelemetry is not None or self.zipkin is not None

    @property
    def service(self) -> tuple[str, int] | None:
        """Host and port of the service behind it; None where there is none, or each sidecar has its own."""
        if self.meshext_filter is not None and self.meshext_filter.service is not None:
            shared = self.meshext_filter.service
            return shared.host.rpartition("/")[2], shared.port
        for kind in KINDS:
            given = getattr(self, kind)
            if isinstance(given, ExtAuthz | GrpcAccessLog | OtelAccessLog | OtelTracing | ZipkinTracing):
                return given.service.rpartition("/")[2], given.port
        return None
