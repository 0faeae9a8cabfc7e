"""The table of legal phases: request and response each walk it on their own.

A response may begin while the request is still arriving (RFC 9113 8.1), so each direction keeps a phase
of its own. Everything absent from the table is an order that no HTTP exchange has. An event that says
that nothing follows leads to ENDED, whatever the table says.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NoReturn

from meshext.engine.events import (
    Event,
    RequestBodyReceived,
    RequestChunkReceived,
    RequestHeadersReceived,
    RequestTrailersReceived,
    ResponseBodyReceived,
    ResponseChunkReceived,
    ResponseHeadersReceived,
    ResponseTrailersReceived,
)
from meshext.errors import ProtocolError


class Phase(StrEnum):
    """How far one direction of an exchange has come."""

    START = "start"
    HEADERS = "headers"
    BODY = "body"
    CHUNKS = "chunks"
    TRAILERS = "trailers"
    ENDED = "ended"


class Direction(StrEnum):
    """Which way a message goes."""

    REQUEST = "request"
    RESPONSE = "response"


# A member of an enumeration costs more to look up than to use.
START, ENDED, REQUEST, RESPONSE = Phase.START, Phase.ENDED, Direction.REQUEST, Direction.RESPONSE

TABLE: Mapping[tuple[Phase, type[Event]], Phase] = {
    (Phase.START, RequestHeadersReceived): Phase.HEADERS,
    (Phase.HEADERS, RequestBodyReceived): Phase.BODY,
    (Phase.HEADERS, RequestTrailersReceived): Phase.TRAILERS,
    (Phase.BODY, RequestTrailersReceived): Phase.TRAILERS,
    (Phase.HEADERS, RequestChunkReceived): Phase.CHUNKS,
    (Phase.CHUNKS, RequestChunkReceived): Phase.CHUNKS,
    (Phase.CHUNKS, RequestTrailersReceived): Phase.TRAILERS,
    (Phase.START, ResponseHeadersReceived): Phase.HEADERS,
    (Phase.HEADERS, ResponseBodyReceived): Phase.BODY,
    (Phase.HEADERS, ResponseTrailersReceived): Phase.TRAILERS,
    (Phase.BODY, ResponseTrailersReceived): Phase.TRAILERS,
    (Phase.HEADERS, ResponseChunkReceived): Phase.CHUNKS,
    (Phase.CHUNKS, ResponseChunkReceived): Phase.CHUNKS,
    (Phase.CHUNKS, ResponseTrailersReceived): Phase.TRAILERS,
}

DIRECTION: Mapping[type[Event], Direction] = {
    RequestHeadersReceived: Direction.REQUEST,
    RequestBodyReceived: Direction.REQUEST,
    RequestChunkReceived: Direction.REQUEST,
    RequestTrailersReceived: Direction.REQUEST,
    ResponseHeadersReceived: Direction.RESPONSE,
    ResponseBodyReceived: Direction.RESPONSE,
    ResponseChunkReceived: Direction.RESPONSE,
    ResponseTrailersReceived: Direction.RESPONSE,
}


def refuse_order(phase: Phase, kind: type[Event]) -> NoReturn:
    """An event has no place after that phase."""
    raise ProtocolError(f"{kind.__name__} can not follow in phase {phase.value!r}")
