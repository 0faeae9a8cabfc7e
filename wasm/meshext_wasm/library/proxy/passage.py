"""One exchange on its way through the filters: `meshext.engine.engine` inside Envoy.

The request meets the filters in the order given, the response in reverse. A filter that wants a whole body
holds the message there. The first Respond ends the request's way; that answer then passes, like any
response, the filters that saw the request, in reverse.
"""

from meshext_wasm.library.meshext.legal import decode
from meshext_wasm.library.meshext.needs import (
    ON_COMPLETE,
    ON_REQUEST_BODY,
    ON_REQUEST_CHUNK,
    ON_REQUEST_TRAILERS,
    ON_RESPONSE_BODY,
    ON_RESPONSE_CHUNK,
    ON_RESPONSE_TRAILERS,
)
from meshext_wasm.library.meshext.request import RequestLine
from meshext_wasm.library.proxy import commit
from meshext_wasm.library.proxy.hooks import run
from meshext_wasm.library.proxy.host import (
    REQUEST_BODY,
    REQUEST_HEADERS,
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
from meshext_wasm.library.proxy.passes import NONE, STREAM, WHOLE, Pass
from meshext_wasm.library.proxy.program import Program
from meshext_wasm.library.proxy.request_pass import RequestPass
from meshext_wasm.library.proxy.response_pass import ResponsePass
from meshext_wasm.library.proxy.seat import NO_CHUNK, Ending, Seat
from meshext_wasm.library.proxy.surrounding import read_surroundings
from meshext_wasm.library.proxy.turn import Turn
from meshext_wasm.library.proxy.written import Written

CONTINUE = 0
PAUSE = 1
NANOSECONDS = 1e9


class Passage:
    """Made when the request's headers come, kept until the exchange has ended.

    `over` says that the client has been answered from here, or cut off: callbacks that still come are about
    that answer, which has passed the filters already.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.began = now()
        self.response_after = -1
        lines = read_pairs(REQUEST_HEADERS)
        line = read_request_line(lines)
        plain = without_pseudo(lines)
        self.method = line.method
        self.surroundings = read_surroundings(program.facts, plain)
        program.read_early(self.surroundings, line, plain)
        self.written = Written(self.surroundings)
        self.seats = program.seat(self.surroundings)
        self.request = RequestPass(self.seats, style_of(program, ON_REQUEST_BODY, ON_REQUEST_CHUNK), line)
        self.request.lines = plain
        self.request.sent = plain
        backwards = self.seats.copy()
        backwards.reverse()
        self.response = ResponsePass(backwards, style_of(program, ON_RESPONSE_BODY, ON_RESPONSE_CHUNK))
        self.over = False
        self.buffered = False

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
        before = decode_names(read_pairs(REQUEST_TRAILERS))
        found = request.walk_trailers(ON_REQUEST_TRAILERS, before)
        if found.turn is not None:
            return self.answer(found.turn)
        self.written.tell()
        commit.lines(REQUEST_TRAILERS, before, found.lines)
        return CONTINUE

    # -- response ----------------------------------------------------------------------------------

    def response_begins(self, end: bool) -> int:
        """The upstream's response begins, or Envoy's own."""
        if self.over:
            return CONTINUE
        response = self.response
        self.response_after = now() - self.began
        self.surroundings.forget()
        self.program.read_late(self.surroundings)
        lines = read_pairs(RESPONSE_HEADERS)
        plain = without_pseudo(lines)
        response.lines = plain
        response.sent = plain
        response.status = read_status(lines)
        response.sent_status = response.status
        response.forbidden = forbids_body(self.method, response.status)
        tunnel = response.style == WHOLE and opens_tunnel(self.method, response.status)
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
            if not forbids_body(self.method, response.status):
                write_buffer(RESPONSE_BODY, response.body)
            response.sent_body = response.body
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
        before = decode_names(read_pairs(RESPONSE_TRAILERS))
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
        return self.send()

    def send(self) -> int:
        """Send the answer that took the response's place."""
        response = self.response
        self.over = True
        self.written.tell()
        turn = response.turn
        if turn is not None:
            details = spaceless(turn.respond.details)
            respond(response.status, details, response.body, response.lines)
        return PAUSE

    def complete(self) -> None:
        """The exchange has ended, however: run every `on_complete`, in reverse."""
        ended = now() - self.began
        after = None
        if self.response_after >= 0:
            after = self.response_after / NANOSECONDS
        seen = self.response.status != 0
        backwards = self.seats.copy()
        backwards.reverse()
        for seat in backwards:
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
    length = first(way.lines, "content-length")
    if length.isascii() and length.isdigit():
        return int(length)
    return None


def style_of(program: Program, whole: int, chunk: int) -> int:
    """How a body comes: held as soon as one filter wants it whole."""
    if program.hooks & whole != 0:
        return WHOLE
    if program.hooks & chunk != 0:
        return STREAM
    return NONE


def read_request_line(lines: list[tuple[bytes, bytes]]) -> RequestLine:
    """The request line, from the pseudo-headers; CONNECT has no target."""
    method, scheme, host, target, protocol = "", "", "", "", ""
    for name, value in lines:
        if name == b":method":
            method = decode(value)
        elif name == b":scheme":
            scheme = decode(value)
        elif name == b":authority":
            host = decode(value)
        elif name == b":path":
            target = decode(value)
        elif name == b":protocol":
            protocol = decode(value)
    if method == "CONNECT" and not protocol:
        target = ""
    return RequestLine(method, scheme, host, target)


def read_status(lines: list[tuple[bytes, bytes]]) -> int:
    """The status, from its pseudo-header."""
    for name, value in lines:
        if name == b":status":
            return int(decode(value))
    return 0


def without_pseudo(lines: list[tuple[bytes, bytes]]) -> list[tuple[str, bytes]]:
    """The lines that are no pseudo-headers."""
    found: list[tuple[str, bytes]] = []
    for name, value in lines:
        if not name.startswith(b":"):
            found.append((decode(name), value))
    return found


def decode_names(lines: list[tuple[bytes, bytes]]) -> list[tuple[str, bytes]]:
    """Lines with their names as text."""
    found: list[tuple[str, bytes]] = []
    for name, value in lines:
        found.append((decode(name), value))
    return found


def first(lines: list[tuple[str, bytes]], name: str) -> str:
    """The first value of a name, "" where there is none."""
    for key, value in lines:
        if key == name:
            return decode(value)
    return ""


def forbids_body(method: str, status: int) -> bool:
    """Whether a response to that method with that status has no body on the wire (RFC 9110 6.4.1)."""
    return method == "HEAD" or status == 101 or status == 204 or status == 304


def opens_tunnel(method: str, status: int) -> bool:
    """Whether bytes of no body follow a response to that method with that status."""
    return status == 101 or (method == "CONNECT" and 200 <= status < 300)


def spaceless(text: str) -> str:
    """Details as Envoy writes them: underscores where there is white space."""
    pieces: list[str] = []
    for char in text:
        if char.isspace():
            pieces.append("_")
        else:
            pieces.append(char)
    return "".join(pieces)
