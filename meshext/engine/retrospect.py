"""What can be said of an exchange when it is over."""

from __future__ import annotations

from typing import Any

from meshext.engine.message_pass import Pass
from meshext.engine.request_pass import RequestPass
from meshext.engine.response_pass import ResponsePass
from meshext.engine.seat import Seat
from meshext.http.exchange import Exchange
from meshext.http.headers import Headers, Lines


def look_back(
    seat: Seat, request: RequestPass, response: ResponsePass, *, ended: float, response_after: float | None
) -> Exchange[Any]:
    """The exchange as one filter may read it; nothing of it can be changed any more."""
    seen = response.parts.status != 0
    if seen:
        seat.response.load(response.parts.with_body(response.body))
    seat.request.seal()
    seat.response.seal()
    return Exchange(
        request=seat.request,
        response=seat.response if seen else None,
        status=response.parts.status if seen else None,
        request_size=body_size(request, request.parts.lines),
        response_size=body_size(response, response.parts.lines) if seen else None,
        duration=ended,
        response_after=response_after,
    )


def body_size(way: Pass[Any], lines: Lines) -> int | None:
    """Bytes of body where it was seen, else what content-length says, else None."""
    if way.flowed is not None:
        return way.flowed
    if way.body is not None and not way.is_cut:
        return len(way.body)
    length = Headers.from_lines(lines).get("content-length")
    return int(length) if length is not None and length.isascii() and length.isdigit() else None
