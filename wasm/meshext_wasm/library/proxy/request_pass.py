"""The request on its way through the filters, in the order given."""

from meshext_wasm.library.meshext.message import Message
from meshext_wasm.library.meshext.needs import ON_REQUEST, ON_REQUEST_BODY, ON_REQUEST_CHUNK
from meshext_wasm.library.meshext.request import RequestLine
from meshext_wasm.library.proxy.hooks import run
from meshext_wasm.library.proxy.passes import Pass, follow_body
from meshext_wasm.library.proxy.seat import Seat
from meshext_wasm.library.proxy.turn import Turn, turn_oversize, turn_tunnel

TOO_LONG = 413


class RequestPass(Pass):
    """Walks the filters as far as what has arrived allows; a filter that wants the body holds the rest."""

    def __init__(self, seats: list[Seat], style: int, line: RequestLine) -> None:
        super().__init__(seats, style, ON_REQUEST_BODY, ON_REQUEST_CHUNK, TOO_LONG)
        self.line = line
        self.sent_line = line
        self.at = 0

    def message(self, seat: Seat) -> Message:
        """The request."""
        return seat.asked

    def put_body(self, body: bytes) -> None:
        """Another body."""
        self.body = body
        self.lines = follow_body(self.lines, body, self.has_body)

    def finished(self) -> bool:
        """Whether every filter has let the request go on."""
        return self.at >= len(self.in_order)

    def advance(self, holds: bool) -> Turn | None:
        """Go on; a Turn where a filter answered or failed. `holds`: bodies are held for who wants them."""
        while self.at < len(self.in_order):
            seat = self.in_order[self.at]
            turn = self.meet_headers(seat)
            if turn is not None:
                return turn
            if self.wants_body(seat):
                if self.has_arrived:
                    turn = self.meet_body(seat)
                elif holds:
                    # what goes through a tunnel is no body, and has no end to wait for
                    if self.is_tunnel():
                        return turn_tunnel(seat)
                    return None
                if turn is not None:
                    return turn
            self.at += 1
        return None

    def meet_headers(self, seat: Seat) -> Turn | None:
        """The headers at one filter, once."""
        if seat.saw_request:
            return None
        seat.saw_request = True
        request = seat.asked
        request.load_lines(self.lines)
        request.load_line(self.line)
        if not seat.has(ON_REQUEST):
            return None
        found = run(seat, ON_REQUEST, request)
        self.lines = request.headers.to_lines()
        self.line = request.read_line()
        return found.turn

    def meet_body(self, seat: Seat) -> Turn | None:
        """The whole body at one filter."""
        if not seat.has(ON_REQUEST_BODY):
            return self.meet_only_chunk(seat)
        if len(self.body) > seat.needs.max_body:
            if seat.needs.passes_oversize:
                return None
            return turn_oversize(seat, self.oversize)
        request = seat.asked
        request.load_lines(self.lines)
        request.load_line(self.line)
        request.load_body(self.body)
        request.open_body(self.has_body)
        found = run(seat, ON_REQUEST_BODY, request)
        self.lines = request.headers.to_lines()
        self.line = request.read_line()
        body = request.read_body()
        if body != self.body:
            self.put_body(body)
        return found.turn

    def is_tunnel(self) -> bool:
        """Whether the request asks for a tunnel, as Envoy takes it: CONNECT, or an upgrade (RFC 9110 7.8)."""
        if self.sent_line.method == "CONNECT":
            return True
        upgrade = b""
        tokens = b""
        for name, value in self.sent.all():
            if name == "upgrade":
                upgrade = value
            elif name == "connection":
                tokens = value
        if not upgrade:
            return False
        for token in tokens.lower().split(b","):
            if token.strip() == b"upgrade":
                return True
        return False
