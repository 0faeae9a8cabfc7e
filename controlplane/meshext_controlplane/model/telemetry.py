"""`Telemetry`: access logs, traces and metrics of workloads (Istio's, v1).

What is said for a workload comes before what its namespace says, and that before the root namespace; a list
of providers that is not empty replaces the wider one.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from meshext_controlplane.model.base import MeshDocument, Model
from meshext_controlplane.model.cel import Cel, check_cel
from meshext_controlplane.model.provider_ref import ProviderRef
from meshext_controlplane.model.request_authentication import check_header
from meshext_controlplane.model.selector import Selector

Mode = Literal["CLIENT_AND_SERVER", "CLIENT", "SERVER"]

MetricName = Literal[
    "ALL_METRICS",
    "REQUEST_COUNT",
    "REQUEST_DURATION",
    "REQUEST_SIZE",
    "RESPONSE_SIZE",
    "TCP_OPENED_CONNECTIONS",
    "TCP_CLOSED_CONNECTIONS",
    "TCP_SENT_BYTES",
    "TCP_RECEIVED_BYTES",
]


class ModeMatch(Model):
    """Which side an entry is for: the caller's sidecar (CLIENT), the called one's (SERVER), or both."""

    mode: Mode = "CLIENT_AND_SERVER"


class LogFilter(Model):
    """`filter`: a CEL expression that says which requests are logged."""

    expression: Cel


class AccessLogging(Model):
    """One entry of `accessLogging`."""

    match: ModeMatch = ModeMatch()
    providers: tuple[ProviderRef, ...] = ()
    disabled: bool = False
    filter: LogFilter | None = None


class Constant(Model):
    """A tag with the same value always."""

    value: str


class Environment(Model):
    """A tag with the value of a variable of Envoy's environment."""

    name: Annotated[str, Field(min_length=1)]
    default_value: str = ""


class RequestHeader(Model):
    """A tag with the value of a header of the request."""

    name: Annotated[str, AfterValidator(check_header)]
    default_value: str = ""


class CustomTag(Model):
    """One of `customTags`: exactly one source of its value."""

    literal: Constant | None = None
    environment: Environment | None = None
    header: RequestHeader | None = None

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"formatter": "write header, literal or environment"}
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(each is not None for each in (self.literal, self.environment, self.header)) != 1:
            raise ValueError("a tag has one source; write literal, environment or header")
        return self


class Tracing(Model):
    """One entry of `tracing`."""

    match: ModeMatch = ModeMatch()
    providers: Annotated[tuple[ProviderRef, ...], Field(max_length=1)] = ()
    random_sampling_percentage: Annotated[float, Field(ge=0, le=100)] | None = None
    disable_span_reporting: bool | None = None
    custom_tags: dict[str, CustomTag] = Field(default_factory=dict)

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        dict.fromkeys("enableIstioTags useRequestIdForTraceSampling".split(), "")
    )


class TagOverride(Model):
    """What becomes of one tag: a value (a CEL expression), or nothing."""

    operation: Literal["UPSERT", "REMOVE"] = "UPSERT"
    value: Annotated[str, Field(max_length=4096)] = ""

    @model_validator(mode="after")
    def _value_where_there_is_one(self) -> Self:
        if (self.operation == "UPSERT") != bool(self.value):
            raise ValueError("a value goes with UPSERT and not with REMOVE; write value: request.host")
        if self.value:
            check_cel(self.value)
        return self


class MetricMatch(Model):
    """Which metric an override is for."""

    metric: MetricName = "ALL_METRICS"
    mode: Mode = "CLIENT_AND_SERVER"

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType({"customMetric": "write metric"})


class MetricOverride(Model):
    """One of `overrides`; later ones win."""

    match: MetricMatch = MetricMatch()
    disabled: bool | None = None
    tag_overrides: dict[str, TagOverride] = Field(default_factory=dict)


class Metrics(Model):
    """One entry of `metrics`."""

    providers: tuple[ProviderRef, ...] = ()
    overrides: tuple[MetricOverride, ...] = ()

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"reportingInterval": "counts are always current; leave it out"}
    )


class TelemetrySpec(Model):
    """The fields."""

    selector: Selector | None = None
    access_logging: tuple[AccessLogging, ...] = ()
    tracing: tuple[Tracing, ...] = ()
    metrics: tuple[Metrics, ...] = ()

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"targetRef": "write selector", "targetRefs": "write selector"}
    )


class Telemetry(MeshDocument):
    """The document."""

    KIND: ClassVar[str] = "Telemetry"
    VERSIONS: ClassVar[tuple[str, ...]] = ("telemetry.istio.io/v1", "telemetry.istio.io/v1alpha1")

    spec: TelemetrySpec = TelemetrySpec()
