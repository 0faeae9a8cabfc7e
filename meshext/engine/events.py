"""What happens to an exchange, told to the engine by whoever carries it."""

from __future__ import annotations

from dataclasses import dataclass, field

from meshext.http.context import AttributeValue, Surroundings
from meshext.http.headers import Lines
from meshext.http.metadata import Namespaces


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What Envoy may tell anew beside any event: attributes and metadata."""

    attributes: dict[str, AttributeValue] = field(default_factory=dict)
    metadata: Namespaces = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestHeadersReceived(Told):
    """The request line and headers arrived; `end` says that no body and no trailers follow."""

    lines: Lines
    end: bool
    surroundings: Surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestBodyReceived(Told):
    """The whole body arrived; `end` is false where trailers follow."""

    body: bytes
    end: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTrailersReceived(Told):
    """The request's trailers arrived."""

    lines: Lines


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseHeadersReceived(Told):
    """Status and headers arrived; `end` says that no body and no trailers follow."""

    lines: Lines
    end: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseBodyReceived(Told):
    """The whole body arrived; `end` is false where trailers follow."""

    body: bytes
    end: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseTrailersReceived(Told):
    """The response's trailers arrived."""

    lines: Lines


Event = (
    RequestHeadersReceived
    | RequestBodyReceived
    | RequestTrailersReceived
    | ResponseHeadersReceived
    | ResponseBodyReceived
    | ResponseTrailersReceived
)
