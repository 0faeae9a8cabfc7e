"""One exchange on its way through the filters: `meshext.engine.engine` inside Envoy.

The request meets the filters in the order given, the response in reverse. A filter that wants a whole body
holds the message there. The first Respond ends the request's way; that answer then passes, like any
response, the filters that saw the request, in reverse.
"""

from meshext_wasm.library.meshext.legal import decode
from meshext_wasm.library.meshext.lines import NOTHING, Lines, Origin
from meshext_wasm.library.meshext.needs import (
    ON_COMPLETE,
    ON_REQUEST_TRAILERS,
    ON_RESPONSE_TRAILERS,
)
from meshext_wasm.library.meshext.request import RequestLine
from meshext_wasm.library.meshext.surroundings import Surroundings
from meshext_wasm.library.proxy import commit
from meshext_wasm.library.proxy.arriving import Arriving
from meshext_wasm.library.proxy.hooks import run
from meshext_wasm.library.proxy.host import (
    REQUEST_BODY,
    REQUEST_TRAILERS,
    RESPONSE_BODY,
    RESPONSE_HEADERS,
    RESPONSE_TRAILERS,
    close_stream,
    now,
    read_buffer,
    read_pairs,
    respond,
    write_buffer,
)
from meshext_wasm.library.proxy.passes import Pass
from meshext_wasm.library.proxy.program import CONTINUE, PAUSE, Program
from meshext_wasm.library.proxy.request_pass import RequestPass
from meshext_wasm.library.proxy.response_pass import ResponsePass
from meshext_wasm.library.proxy.seat import NO_CHUNK, STREAM, WHOLE, Ending, Seat
from meshext_wasm.library.proxy.turn import Turn, spaceless
from meshext_wasm.library.proxy.written import Written
from meshext_wasm.library.raw import heap_dirty

NANOSECONDS = 1e9


class Passage:
    """Made when the request's headers come, kept until the exchange has ended.

    `over` says that the client has been answered from here, or cut off: callbacks that still come are about
    that answer, which has passed the filters already.
    """

    def __init__(self, program: Program, lines: Lines, line: RequestLine, surroundings: Surroundings) -> None:
        self.program = program
        self.response_after = -1
        self.line = line
        self.surroundings = surroundings
        self.written = Written(surroundings)
        self.seats = program.seat(surroundings)
        self.began = -1
        if program.hooks & ON_COMPLETE != 0:
            self.began = now()
        self.request = RequestPass(self.seats, program.request_style, line)
        self.request.lines = lines
        self.request.sent = lines
        self._response: ResponsePass | None = None
        self.over = False

    @property
    def response(self) -> ResponsePass:
        """The response's way, made when something first asks for it."""
        found = self._response
        if found is None:
            backwards = self.seats.copy()
            backwards.reverse()
            found = ResponsePass(backwards, self.program.response_style)
            self._response = found
        return found

    def goes_on(self) -> bool:
        """Whether later callbacks have something to do with this exchange."""
        if not self.program.is_over_early:
            return True
        if not self.over:
            for seat in self.seats:
                if seat.asked.has_additions():
                    return True
        return False

    def fetch_what_stays(self) -> None:
        """Fetch the request's lines before they are gone, if anybody could read them later: this exchange's
        hooks, or a filter that kept something of it."""
        if heap_dirty() != 0 or self.goes_on():
            self.request.sent.all()

    # -- request -----------------------------------------------------------------------------------

    def request_begins(self, end: bool) -> int:
        """The request's headers are here."""
        request = self.request
        if end:
            request.body_arrived(b"", False, False)
        return self.request_goes_on(True)

    def request_goes_on(self, begins: bool) -> int:
        """Let the request go as far as it can; what the callback gives."""
        request = self.request
        turn = request.advance(request.style == WHOLE)
        if turn is not None:
            return self.answer(turn)
        if not request.finished():
            return PAUSE
        if begins and request.style == STREAM and not request.has_arrived and request.is_wanted():
            request.lines = commit.without_length(request.lines)
        self.written.tell()
        self.fetch_what_stays()
        commit.request_headers(request)
        if request.has_arrived and request.body != request.sent_body:
            write_buffer(REQUEST_BODY, request.body)
            request.sent_body = request.body
        return CONTINUE

    def request_body(self, size: int, end: bool) -> int:
        """Some of the body is here; of a body that is held, all of it so far."""
        request = self.request
        if self.over or not request.is_wanted():
            return CONTINUE
        self.surroundings.forget()
        if request.style == STREAM:
            return self.flow(request, REQUEST_BODY, end)
        if request.finished():
            return CONTINUE
        if not end and size <= request.room():
            return PAUSE
        request.body_arrived(read_buffer(REQUEST_BODY), True, not end)
        return self.request_goes_on(False)

    def request_ends(self) -> int:
        """The request's trailers are here."""
        request = self.request
        if self.over:
            return CONTINUE
        if request.style == STREAM:
            found = request.flow_out()
            if found.turn is not None:
                return self.answer(found.turn)
        elif not request.finished():
            request.body_arrived(read_buffer(REQUEST_BODY), True, False)
            if self.request_goes_on(False) == PAUSE:
                return PAUSE
        if not self.wants_trailers(ON_REQUEST_TRAILERS):
            return CONTINUE
        before = Lines(decode_names(read_pairs(REQUEST_TRAILERS)))
        found = request.walk_trailers(ON_REQUEST_TRAILERS, before)
        if found.turn is not None:
            return self.answer(found.turn)
        self.written.tell()
        commit.lines(REQUEST_TRAILERS, before, found.lines)
        return CONTINUE

    # -- response ----------------------------------------------------------------------------------

    def response_begins(self, count: int, end: bool) -> int:
        """The upstream's response begins, or Envoy's own."""
        if self.over:
            return CONTINUE
        response = self.response
        if self.began >= 0:
            self.response_after = now() - self.began
        self.surroundings.forget()
        self.program.read_late(self.surroundings)
        origin = Arriving(RESPONSE_HEADERS, count)
        response.lines = Lines(NOTHING, origin)
        response.sent = response.lines
        response.status = read_status(origin)
        response.sent_status = response.status
        response.forbidden = forbids_body(self.line.method, response.status)
        tunnel = response.style == WHOLE and opens_tunnel(self.line.method, response.status)
        if end or tunnel:
            response.body_arrived(b"", False, False)
        return self.response_goes_on(True)

    def response_goes_on(self, begins: bool) -> int:
        """Let the response go as far as it can; what the callback gives."""
        response = self.response
        response.advance(response.style == WHOLE)
        if response.turn is not None:
            return self.send()
        if not response.released:
            return PAUSE
        self.written.tell()
        if begins and response.style == STREAM and not response.has_arrived and response.is_wanted():
            response.lines = commit.without_length(response.lines)
        if response.has_arrived and response.body != response.sent_body:
            if not forbids_body(self.line.method, response.status):
                write_buffer(RESPONSE_BODY, response.body)
            response.sent_body = response.body
        response.sent.all()
        commit.response_headers(response)
        return CONTINUE

    def response_body(self, size: int, end: bool) -> int:
        """Some of the response's body is here."""
        response = self.response
        if self.over or not response.is_wanted():
            return CONTINUE
        self.surroundings.forget()
        if response.style == STREAM:
            return self.flow(response, RESPONSE_BODY, end)
        if response.released:
            return CONTINUE
        if not end and size <= response.room():
            return PAUSE
        response.body_arrived(read_buffer(RESPONSE_BODY), True, not end)
        return self.response_goes_on(False)

    def response_ends(self) -> int:
        """The response's trailers are here."""
        response = self.response
        if self.over:
            return CONTINUE
        if response.style == STREAM:
            found = response.flow_out()
            if found.turn is not None:
                return self.answer(found.turn)
        elif not response.released:
            response.body_arrived(read_buffer(RESPONSE_BODY), True, False)
            if self.response_goes_on(False) == PAUSE:
                return PAUSE
        if not self.wants_trailers(ON_RESPONSE_TRAILERS):
            return CONTINUE
        before = Lines(decode_names(read_pairs(RESPONSE_TRAILERS)))
        found = response.walk_trailers(ON_RESPONSE_TRAILERS, before)
        if found.turn is not None:
            return self.answer(found.turn)
        self.written.tell()
        commit.lines(RESPONSE_TRAILERS, before, found.lines)
        return CONTINUE

    # -- both --------------------------------------------------------------------------------------

    def flow(self, way: Pass, buffer: int, end: bool) -> int:
        """A chunk flows through the filters."""
        data = read_buffer(buffer)
        found = way.flow(data, end, "")
        if found.turn is not None:
            return self.answer(found.turn)
        self.written.tell()
        if found.data != data:
            write_buffer(buffer, found.data)
        return CONTINUE

    def wants_trailers(self, hook: int) -> bool:
        """Whether any filter looks at these trailers."""
        return self.program.hooks & hook != 0

    def answer(self, turn: Turn) -> int:
        """A filter answered or failed: the client gets that, or is cut off where the response has begun."""
        if self.response.released:
            self.over = True
            close_stream(1)
            return PAUSE
        self.response.answer(turn)
        self.over = True
        self.fetch_what_stays()
        return self.send()

    def send(self) -> int:
        """Send the answer that took the response's place."""
        response = self.response
        self.over = True
        self.written.tell()
        turn = response.turn
        if turn is not None:
            details = spaceless(turn.respond.details)
            respond(response.status, details, response.body, response.lines.all())
        return PAUSE

    def complete(self) -> None:
        """The exchange has ended, however: run every `on_complete`, in reverse."""
        if self.began < 0:
            return
        ended = now() - self.began
        after = None
        if self.response_after >= 0:
            after = self.response_after / NANOSECONDS
        seen = self.response.status != 0
        for seat in self.response.in_order:
            if seat.saw_request and seat.has(ON_COMPLETE):
                self.look_back(seat, Ending(seen, None, None, ended / NANOSECONDS, after))

    def look_back(self, seat: Seat, ending: Ending) -> None:
        """`on_complete` of one filter; a failure is in the log, and there is nothing left to refuse."""
        if ending.seen:
            seat.answered.load_lines(self.response.lines)
            seat.answered.load_status(self.response.status)
            ending.response_size = body_size(self.response)
        ending.request_size = body_size(self.request)
        seat.asked.seal()
        seat.answered.seal()
        run(seat, ON_COMPLETE, seat.asked, NO_CHUNK, ending)


def body_size(way: Pass) -> int | None:
    """Bytes of body where it was seen, else what content-length says, else None."""
    if way.flowed >= 0:
        return way.flowed
    if way.has_arrived and not way.is_cut:
        return len(way.body)
    found = way.lines.first("content-length")
    if found is not None and found.isdigit():
        return int(found)
    return None


def read_status(origin: Origin) -> int:
    """The status, from its pseudo-header."""
    found = origin.first(":status")
    if found is None:
        return 0
    return int(decode(found))


def decode_names(lines: list[tuple[bytes, bytes]]) -> list[tuple[str, bytes]]:
    """Lines with their names as text."""
    found: list[tuple[str, bytes]] = []
    for name, value in lines:
        found.append((decode(name), value))
    return found


def forbids_body(method: str, status: int) -> bool:
    """Whether a response to that method with that status has no body on the wire (RFC 9110 6.4.1)."""
    return method == "HEAD" or status == 101 or status == 204 or status == 304


def opens_tunnel(method: str, status: int) -> bool:
    """Whether bytes of no body follow a response to that method with that status."""
    return status == 101 or (method == "CONNECT" and 200 <= status < 300)
