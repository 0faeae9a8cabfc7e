"""A message that goes no further: an answer takes its place and the way turns back to the client."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

from meshext.actions import Respond
from meshext.engine.seat import Seat
from meshext.errors import FilterFailure
from meshext.http.headers import Headers

FAILED = "meshext_filter_failed"
OVERSIZE = "meshext_body_too_large"

TUNNEL = "meshext_tunnel_refused"
MAY_SKIP = "call request.skip_body() for it, or use on_request_chunk"
BESIDE_DUPLEX = "beside a filter with duplex = True nothing flows past; use a chunk hook in place of this one"

Cause = Literal["answered", "failed_closed", "oversize", "tunnel"]

log = logging.getLogger("meshext.filter")


@dataclass(frozen=True, slots=True)
class Turn:
    """The answer, the filter that gave it (or whose failure it is), and why."""

    respond: Respond
    seat: Seat
    cause: Cause = "answered"


def turn_of(found: Respond | FilterFailure, seat: Seat) -> Turn:
    """The turn that a hook's answer is, or its failure."""
    return Turn(found, seat) if isinstance(found, Respond) else turn_failed(seat, found)


def turn_failed(seat: Seat, failure: FilterFailure) -> Turn:
    """The answer to a failed hook: 500 and the request id; the reason is in the log alone."""
    details = f"{FAILED}:{seat.mount.needs.name}:{failure.kind}"
    respond = plain_answer(500, "internal error", seat.view.surroundings.request_id, details)
    return Turn(respond, seat, "failed_closed")


def turn_oversize(seat: Seat, status: int) -> Turn:
    """The answer to a body above `max_body`: 413 for a request, 500 for a response, as Envoy's own."""
    details = f"{OVERSIZE}:{seat.mount.needs.name}"
    respond = plain_answer(status, "body too large", seat.view.surroundings.request_id, details)
    return Turn(respond, seat, "oversize")


def turn_tunnel(seat: Seat, advice: str = MAY_SKIP) -> Turn:
    """The answer to an upgrade or CONNECT that meets a filter which wants the whole body.

    What follows is no body and has no end, so Envoy would wait for it until its idle timeout.
    """
    name, request_id = seat.mount.needs.name, seat.view.surroundings.request_id
    log.warning(
        "%s [%s]: an upgrade (or CONNECT) was refused: the filter wants the whole body, and what follows is "
        "none; %s",
        name,
        request_id,
        advice,
    )
    respond = plain_answer(501, "upgrades are not carried here", request_id, f"{TUNNEL}:{name}")
    return Turn(respond, seat, "tunnel")


def plain_answer(status: int, text: str, request_id: str, details: str) -> Respond:
    """A short plain text that names the request, so that a person can find it in the log."""
    suffix = f"; request id: {request_id}" if request_id else ""
    return Respond(
        status, headers=Headers([("content-type", "text/plain")]), body=f"{text}{suffix}\n", details=details
    )
