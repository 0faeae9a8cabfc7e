"""The response on its way back through the filters, in reverse; also an answer that took its place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from meshext.bodies import RESPONSE
from meshext.engine.message_pass import Pass
from meshext.engine.seat import Seat
from meshext.engine.turn import Turn, turn_of, turn_oversize
from meshext.http.additions import put_on
from meshext.http.headers import Lines
from meshext.http.parts import HeaderChange, ResponseParts, follow_body
from meshext.http.response import Response
from meshext.needs import Hook

ON_RESPONSE, ON_RESPONSE_BODY = Hook.ON_RESPONSE, Hook.ON_RESPONSE_BODY  # see `phases`


class ResponsePass(Pass[ResponseParts]):
    """Walks the filters that saw the request, from the last to the first.

    `released` says that the response has left all filters and so can not be taken back.
    """

    BODY = RESPONSE
    OVERSIZE = 500

    turn: Turn | None = None
    details: str | None = None
    released = False

    def headers_arrived(self, parts: ResponseParts) -> None:
        """The upstream's (or Envoy's own) response begins."""
        self.parts = self._sent = parts

    async def answer(self, turn: Turn) -> None:
        """Put an answer in the response's place and let it pass the filters that have not seen one."""
        self._replace(turn)
        await self.advance()

    def _message(self, seat: Seat) -> Response[Any]:
        return seat.response

    def _wants_body(self, seat: Seat) -> bool:
        return seat.mount.reads_response and not seat.response.skips_body

    def _in_order(self) -> Iterable[Seat]:
        return reversed(self._seats)

    def _put_body(self, body: bytes) -> None:
        self.body, self._runner.spare = body, 0
        if self.parts.status != 204:
            lines = follow_body(self.parts.lines, body, was_there=self.has_body)
            self.parts = self.parts.with_lines(lines)

    async def advance(self) -> None:
        """Go on as far as what has arrived allows."""
        while self._at >= 0:
            seat = self._seats[self._at]
            if seat.saw_request:
                turn = await self._meet(seat)
                if turn is not None:
                    self._replace(turn)
                    continue
                if self.style and self._holds(seat):
                    return
                if any(added := seat.view.additions()):
                    self.parts = self.parts.with_lines(put_on(self.parts.lines, added))
                    self._runner.spare = 0
            self._at -= 1
        self.released = True

    async def walk_trailers(self, lines: Lines) -> Turn | Lines:
        """Show the trailers to every filter that wants them; the trailers as they then are."""
        return await self._walk_trailers(reversed(self._seats), Hook.ON_RESPONSE_TRAILERS, lines)

    def take_change(self) -> HeaderChange:
        """What changed in status and headers since it was last taken."""
        change = self._runner.compare(self._sent, self.parts)
        self._sent = self.parts
        return change

    def _replace(self, turn: Turn) -> None:
        """An answer takes the response's place; what filters behind it had put on the response stays."""
        lines = turn.respond.to_lines()
        for seat in reversed(self._seats[self._at + 1 :]):
            if seat.saw_request:
                lines = put_on(lines, seat.view.additions())
        self.parts = ResponseParts(lines, turn.respond.status)
        self.body = turn.respond.body
        self.details = turn.respond.details
        self.turn = turn
        self._runner.spare = 0

    def _holds(self, seat: Seat) -> bool:
        if self.body is not None or self.chunked:
            return False
        return (self.turn is None or seat is not self.turn.seat) and self._wants_body(seat)

    async def _meet(self, seat: Seat) -> Turn | None:
        if self.turn is not None and seat is self.turn.seat:
            return None  # its own answer
        if not seat.saw_response:
            seat.saw_response = True
            seat.request.seal()
            response = seat.response
            response.load(self.parts)
            if ON_RESPONSE in seat.mount.hooks:
                found = await self._runner.run(seat, ON_RESPONSE, response)
                self.parts = seat.response.parts()  # another object where a hook ran past its time
                if found is not None:
                    return turn_of(found, seat)
        if not self.style or self.body is None or not self._wants_body(seat):
            return None
        return await self._meet_body(seat, self.body)

    async def _meet_body(self, seat: Seat, body: bytes) -> Turn | None:
        if not seat.has(ON_RESPONSE_BODY):
            return await self._meet_only_chunk(seat, body)
        needs = seat.mount.needs
        if len(body) > needs.max_body:
            return turn_oversize(seat, self.OVERSIZE) if needs.oversize == "refuse" else None
        loaded = self.parts.with_body(body)
        seat.response.load(loaded)
        seat.response.open_body()
        found = await self._runner.run(seat, ON_RESPONSE_BODY, seat.response)
        self._take_parts(loaded, seat.response.parts())
        return None if found is None else turn_of(found, seat)
