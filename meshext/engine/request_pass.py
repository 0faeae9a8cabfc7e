"""The request on its way through the filters, in the order given."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from meshext.bodies import REQUEST
from meshext.engine.message_pass import Pass
from meshext.engine.seat import Seat
from meshext.engine.turn import BESIDE_DUPLEX, Turn, turn_of, turn_oversize, turn_tunnel
from meshext.http.headers import Lines
from meshext.http.parts import HeaderChange, RequestParts, follow_body, is_tunnel
from meshext.http.request import Request
from meshext.needs import Hook

ON_REQUEST, ON_REQUEST_BODY = Hook.ON_REQUEST, Hook.ON_REQUEST_BODY  # see `phases`


class RequestPass(Pass[RequestParts]):
    """Walks the filters as far as what has arrived allows; a filter that wants the body holds the rest."""

    BODY = REQUEST
    OVERSIZE = 413

    def _message(self, seat: Seat) -> Request[Any]:
        return seat.request

    def _wants_body(self, seat: Seat) -> bool:
        return seat.mount.reads_request and not seat.request.skips_body

    def _in_order(self) -> Iterable[Seat]:
        return self._seats

    def _put_body(self, body: bytes) -> None:
        lines = follow_body(self.parts.lines, body, was_there=self.has_body)
        self.body, self.parts = body, self.parts.with_lines(lines)
        self._runner.spare = 0

    async def advance(self) -> Turn | None:
        """Go on; a Turn where a filter answered or failed."""
        while self._at < len(self._seats):
            seat = self._seats[self._at]
            if not seat.saw_request:
                seat.saw_request = True
                seat.request.load(self.parts)
                if ON_REQUEST in seat.mount.hooks:
                    found = await self._runner.run(seat, ON_REQUEST, seat.request)
                    if self._runner.wrote:
                        self.parts = seat.request.parts()  # another object where a hook ran past its time
                    if found is not None:
                        return turn_of(found, seat)
            if self.style and self._wants_body(seat):
                if self.body is not None:
                    turn = await self._meet_body(seat, self.body)
                    if turn is not None:
                        return turn
                elif not self.chunked:
                    # what goes through a tunnel is no body, and has no end to wait for
                    return turn_tunnel(seat) if is_tunnel(self._sent) else None
            self._at += 1
        self.finished = True
        return None

    def stop_tunnel(self) -> Turn | None:
        """The answer to an upgrade that Envoy would hold for ever, since it obeys nothing in full duplex."""
        if not is_tunnel(self._sent):
            return None
        bodies = (Hook.ON_REQUEST_BODY, Hook.ON_RESPONSE_BODY)
        holder = next(seat for seat in self._seats if any(map(seat.has, bodies)))
        return turn_tunnel(holder, BESIDE_DUPLEX)

    async def walk_trailers(self, lines: Lines) -> Turn | Lines:
        """Show the trailers to every filter that wants them; the trailers as they then are."""
        return await self._walk_trailers(self._seats, Hook.ON_REQUEST_TRAILERS, lines)

    def take_change(self) -> HeaderChange:
        """What changed in request line and headers since it was last taken."""
        change = self._runner.compare(self._sent, self.parts)
        self._sent = self.parts
        return change

    async def _meet_body(self, seat: Seat, body: bytes) -> Turn | None:
        if not seat.has(ON_REQUEST_BODY):
            return await self._meet_only_chunk(seat, body)
        needs = seat.mount.needs
        if len(body) > needs.max_body:
            return turn_oversize(seat, self.OVERSIZE) if needs.oversize == "refuse" else None
        loaded = self.parts.with_body(body)
        seat.request.load(loaded)
        seat.request.open_body(self._runner.carrier.body_refusal)
        found = await self._runner.run(seat, ON_REQUEST_BODY, seat.request)
        self._take_parts(loaded, seat.request.parts())
        return None if found is None else turn_of(found, seat)
