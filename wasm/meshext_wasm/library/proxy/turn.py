"""A message that goes no further: an answer takes its place and the way turns back to the client."""

from meshext_wasm.library.meshext.actions import Respond
from meshext_wasm.library.proxy.host import WARNING, log
from meshext_wasm.library.proxy.seat import Seat

NO_CHUNK_SHOWN = "the filter wants the whole body, and what follows is none"
MAY_SKIP = "call request.skip_body() for it, or use on_request_chunk"


class Turn:
    """The answer, and the filter that gave it (or whose failure it is)."""

    def __init__(self, respond: Respond, seat: Seat) -> None:
        self.respond = respond
        self.seat = seat


def turn_failed(seat: Seat, kind: str) -> Turn:
    """The answer to a failed hook: 500 and the request id; the reason is in the log alone."""
    details = f"meshext_filter_failed:{seat.needs.name}:{kind}"
    return plain_turn(seat, 500, "internal error", details)


def turn_oversize(seat: Seat, status: int) -> Turn:
    """The answer to a body above `max_body`: 413 for a request, 500 for a response, as Envoy's own."""
    return plain_turn(seat, status, "body too large", f"meshext_body_too_large:{seat.needs.name}")


def turn_tunnel(seat: Seat) -> Turn:
    """The answer to an upgrade or CONNECT that meets a filter which wants the whole body."""
    name = seat.needs.name
    request_id = seat.view.surroundings.request_id
    log(WARNING, f"{name} [{request_id}]: an upgrade (or CONNECT) was refused: {NO_CHUNK_SHOWN}; {MAY_SKIP}")
    return plain_turn(seat, 501, "upgrades are not carried here", f"meshext_tunnel_refused:{name}")


def plain_turn(seat: Seat, status: int, text: str, details: str) -> Turn:
    """A short plain text that names the request, so that a person can find it in the log."""
    request_id = seat.view.surroundings.request_id
    body = text + "\n"
    if request_id:
        body = f"{text}; request id: {request_id}\n"
    respond = Respond(status, headers={"content-type": "text/plain"}, body=body, details=details)
    return Turn(respond, seat)


def spaceless(text: str) -> str:
    """Details as Envoy writes them: underscores where there is white space."""
    pieces: list[str] = []
    for char in text:
        if char.isspace():
            pieces.append("_")
        else:
            pieces.append(char)
    return "".join(pieces)
