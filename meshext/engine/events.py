"""What happens to an exchange, told to the engine by whoever carries it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from meshext.http.context import AttributeValue, Surroundings
from meshext.http.headers import Lines
from meshext.http.metadata import Namespaces

# Nobody writes to an event. They are not frozen because there is one for each message, and making a frozen
# object of five fields costs four times as much.


@dataclass(slots=True, kw_only=True)
class Told:
    """What Envoy may tell anew beside any event: attributes and metadata."""

    attributes: dict[str, AttributeValue] = field(default_factory=dict)
    metadata: Namespaces = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class RequestHeadersReceived(Told):
    """The request line and headers arrived; `end` says that no body and no trailers follow."""

    lines: Lines
    end: bool
    surroundings: Surroundings


@dataclass(slots=True, kw_only=True)
class RequestBodyReceived(Told):
    """The whole body arrived; `end` is false where trailers follow.

    Where bodies may flow past, this can be the first part of a long one: then `end` is false as well.
    """

    body: bytes
    end: bool = True


@dataclass(slots=True, kw_only=True)
class RequestChunkReceived(Told):
    """Some of the body arrived, in the order sent; `end` says that it is the last and no trailers follow."""

    body: bytes
    end: bool = False


@dataclass(slots=True, kw_only=True)
class RequestTrailersReceived(Told):
    """The request's trailers arrived; nothing of it follows them."""

    end: ClassVar[bool] = True
    lines: Lines


@dataclass(slots=True, kw_only=True)
class ResponseHeadersReceived(Told):
    """Status and headers arrived; `end` says that no body and no trailers follow."""

    lines: Lines
    end: bool


@dataclass(slots=True, kw_only=True)
class ResponseBodyReceived(Told):
    """The whole body arrived; `end` is false where trailers follow.

    Where bodies may flow past, this can be the first part of a long one: then `end` is false as well.
    """

    body: bytes
    end: bool = True


@dataclass(slots=True, kw_only=True)
class ResponseChunkReceived(Told):
    """Some of the body arrived, in the order sent; `end` says that it is the last and no trailers follow."""

    body: bytes
    end: bool = False


@dataclass(slots=True, kw_only=True)
class ResponseTrailersReceived(Told):
    """The response's trailers arrived; nothing of it follows them."""

    end: ClassVar[bool] = True
    lines: Lines


Event = (
    RequestHeadersReceived
    | RequestBodyReceived
    | RequestChunkReceived
    | RequestTrailersReceived
    | ResponseHeadersReceived
    | ResponseBodyReceived
    | ResponseChunkReceived
    | ResponseTrailersReceived
)
