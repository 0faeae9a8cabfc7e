"""What happens to an exchange, told to the engine by whoever carries it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from meshext.http.context import AttributeValue, Surroundings
from meshext.http.headers import Lines
from meshext.http.metadata import Namespaces

# Nobody but who makes an event writes to it. They are not frozen because there is one for each message, and
# making a frozen object of five fields costs four times as much. What every event has can be given by
# position, since a call of a class by keywords makes a dict of them.

UNKNOWN = 1 << 62  # bytes


@dataclass(slots=True)
class Told:
    """What Envoy may tell anew beside any event: attributes and metadata."""

    attributes: dict[str, AttributeValue] = field(default_factory=dict, kw_only=True)
    metadata: Namespaces = field(default_factory=dict, kw_only=True)


@dataclass(slots=True)
class RequestHeadersReceived(Told):
    """The request line and headers arrived; `end` says that no body and no trailers follow.

    `size` is how many bytes names and values have at most, where that is known without counting.
    """

    lines: Lines
    end: bool
    surroundings: Surroundings
    size: int = UNKNOWN


@dataclass(slots=True)
class RequestBodyReceived(Told):
    """The whole body arrived; `end` is false where trailers follow.

    Where bodies may flow past, this can be the first part of a long one: then `end` is false as well.
    """

    body: bytes
    end: bool = True


@dataclass(slots=True)
class RequestChunkReceived(Told):
    """Some of the body arrived, in the order sent; `end` says that it is the last and no trailers follow."""

    body: bytes
    end: bool = False


@dataclass(slots=True)
class RequestTrailersReceived(Told):
    """The request's trailers arrived; nothing of it follows them."""

    end: ClassVar[bool] = True
    lines: Lines


@dataclass(slots=True)
class ResponseHeadersReceived(Told):
    """Status and headers arrived; `end` and `size` as with the request's."""

    lines: Lines
    end: bool
    size: int = UNKNOWN


@dataclass(slots=True)
class ResponseBodyReceived(Told):
    """The whole body arrived; `end` is false where trailers follow.

    Where bodies may flow past, this can be the first part of a long one: then `end` is false as well.
    """

    body: bytes
    end: bool = True


@dataclass(slots=True)
class ResponseChunkReceived(Told):
    """Some of the body arrived, in the order sent; `end` says that it is the last and no trailers follow."""

    body: bytes
    end: bool = False


@dataclass(slots=True)
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
