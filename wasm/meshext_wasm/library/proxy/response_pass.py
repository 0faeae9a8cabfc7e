"""The response on its way back through the filters, in reverse; also an answer that took its place."""

from meshext_wasm.library.meshext.headers import put_on
from meshext_wasm.library.meshext.lines import Lines
from meshext_wasm.library.meshext.message import Message
from meshext_wasm.library.meshext.needs import ON_RESPONSE, ON_RESPONSE_BODY, ON_RESPONSE_CHUNK
from meshext_wasm.library.proxy.hooks import run
from meshext_wasm.library.proxy.passes import Pass, follow_body
from meshext_wasm.library.proxy.seat import Seat
from meshext_wasm.library.proxy.turn import Turn, turn_oversize

TOO_LONG = 500


class ResponsePass(Pass):
    """Walks the filters that saw the request, from the last to the first.

    `turn` is the answer that took the response's place. `released` says that the response has left all
    filters and so can not be taken back.
    """

    def __init__(self, in_order: list[Seat], style: int) -> None:
        super().__init__(in_order, style, ON_RESPONSE_BODY, ON_RESPONSE_CHUNK, TOO_LONG)
        self.status = 0
        self.sent_status = 0
        self.turn: Turn | None = None
        self.released = False
        self.at = 0

    def message(self, seat: Seat) -> Message:
        """The response."""
        return seat.answered

    def put_body(self, body: bytes) -> None:
        """Another body."""
        self.body = body
        if self.status != 204:
            self.lines = follow_body(self.lines, body, self.has_body)

    def answer(self, turn: Turn) -> None:
        """Put an answer in the response's place and let it pass the filters that have not seen one."""
        self.replace(turn)
        self.advance(False)

    def advance(self, holds: bool) -> None:
        """Go on as far as what has arrived allows; `holds` as for a request."""
        while self.at < len(self.in_order):
            seat = self.in_order[self.at]
            if seat.saw_request:
                turn = self.meet(seat)
                if turn is not None:
                    self.replace(turn)
                    continue
                if holds and self.holds_at(seat):
                    return
                self.lines = with_additions(self.lines, seat)
            self.at += 1
        self.released = True

    def replace(self, turn: Turn) -> None:
        """An answer takes the response's place; what filters behind it had put on the response stays."""
        lines = turn.respond.to_lines()
        for seat in self.in_order[: self.at]:
            if seat.saw_request:
                lines = with_additions(lines, seat)
        self.lines = lines
        self.status = turn.respond.status
        self.body = turn.respond.body
        self.has_arrived = True
        self.has_body = True
        self.is_cut = False
        self.turn = turn

    def is_own(self, seat: Seat) -> bool:
        """Whether what is under way is this filter's own answer."""
        return self.turn is not None and self.turn.seat is seat

    def holds_at(self, seat: Seat) -> bool:
        """Whether the response waits here for its body."""
        return not self.has_arrived and not self.is_own(seat) and self.wants_body(seat)

    def meet(self, seat: Seat) -> Turn | None:
        """The response at one filter."""
        if self.is_own(seat):
            return None
        turn = self.meet_headers(seat)
        if turn is not None or not self.has_arrived or not self.wants_body(seat):
            return turn
        return self.meet_body(seat)

    def meet_headers(self, seat: Seat) -> Turn | None:
        """Status and headers at one filter, once."""
        if seat.saw_response:
            return None
        seat.saw_response = True
        seat.asked.seal()
        response = seat.answered
        response.load_lines(self.lines)
        response.load_status(self.status)
        if not seat.has(ON_RESPONSE):
            return None
        found = run(seat, ON_RESPONSE, response)
        self.lines = response.headers.to_lines()
        self.status = response.status
        return found.turn

    def meet_body(self, seat: Seat) -> Turn | None:
        """The whole body at one filter."""
        if not seat.has(ON_RESPONSE_BODY):
            return self.meet_only_chunk(seat)
        if len(self.body) > seat.needs.max_body:
            if seat.needs.passes_oversize:
                return None
            return turn_oversize(seat, self.oversize)
        response = seat.answered
        response.load_lines(self.lines)
        response.load_status(self.status)
        response.load_body(self.body)
        response.open_body(self.has_body or self.forbidden)
        found = run(seat, ON_RESPONSE_BODY, response)
        self.lines = response.headers.to_lines()
        self.status = response.status
        body = response.read_body()
        if body != self.body:
            self.put_body(body)
        return found.turn


def with_additions(lines: Lines, seat: Seat) -> Lines:
    """The lines with what a filter put on the response when it saw the request."""
    if seat.asked.has_additions():
        return put_on(lines, seat.asked.response_headers)
    return lines
