"""What the ways of request and response through the filters have in common."""

from meshext_wasm.library.meshext.lines import NO_LINES, Edit, Lines
from meshext_wasm.library.meshext.message import NO_BODY_HERE, Message
from meshext_wasm.library.proxy.hooks import run
from meshext_wasm.library.proxy.seat import Chunk, Seat
from meshext_wasm.library.proxy.turn import Turn, turn_oversize
from meshext_wasm.library.raw import virtual

NO_ROOM = "where trailers follow, nothing can be added to the body any more; use duplex = True"
NO_BODY = "where trailers follow, nothing can be put in the place of a body that is not there"


class Walked:
    """What came of a chunk or of trailers: a Turn, else the bytes or lines as they then are."""

    def __init__(self, turn: Turn | None, data: bytes, lines: Lines) -> None:
        self.turn = turn
        self.data = data
        self.lines = lines


class Pass:
    """A message under way: `lines` are its headers as they now are, `sent` as they came or were last taken.

    `has_arrived` says that the body is here as a whole, b"" where the message has none: so a policy about
    bodies can not be avoided by leaving the body out. `is_cut` says that it may be a part of a long one.
    `flowed` counts the bytes of chunks that went on, -1 before the first one. `in_order` are the filters as
    this message meets them. `forbidden`: HTTP has no body for this message, and what is written is dropped.
    """

    def __init__(self, in_order: list[Seat], style: int, whole: int, chunk: int, oversize: int) -> None:
        self.in_order = in_order
        self.style = style
        self.whole = whole
        self.chunk = chunk
        self.oversize = oversize
        self.lines = NO_LINES
        self.sent = NO_LINES
        self.body = b""
        self.sent_body = b""
        self.has_arrived = False
        self.has_body = False
        self.forbidden = False
        self.is_cut = False
        self.flowed = -1

    def body_arrived(self, body: bytes, there: bool, cut: bool) -> None:
        """The body is here; b"" where it is empty or not `there` at all, a part where it may be `cut`."""
        if not self.has_arrived:
            self.has_arrived = True
            self.body = body
            self.sent_body = body
            self.has_body = there
            self.is_cut = cut

    @virtual
    def message(self, seat: Seat) -> Message:
        """The message as that filter holds it."""
        raise NotImplementedError

    @virtual
    def put_body(self, body: bytes) -> None:
        """Put another body in the message's place; what the headers say of it follows."""
        raise NotImplementedError

    def wants_body(self, seat: Seat) -> bool:
        """Whether a filter still wants this body."""
        return seat.has(self.whole | self.chunk) and not self.message(seat).skips_body

    def is_wanted(self) -> bool:
        """Whether any filter still wants this body."""
        for seat in self.in_order:
            if self.wants_body(seat):
                return True
        return False

    def room(self) -> int:
        """The longest body that a filter wants as a whole."""
        most = 0
        for seat in self.in_order:
            if self.wants_body(seat):
                most = max(most, seat.needs.max_body)
        return most

    def flow(self, data: bytes, last: bool, refusal: str) -> Walked:
        """Show a chunk to every filter that wants them; the chunk as it then is."""
        for seat in self.in_order:
            if (data or last) and seat.saw_request and self.wants_body(seat):
                found = self.show(seat, Chunk(data, last, refusal))
                if found.turn is not None:
                    return found
                data = found.data
        self.flowed = max(self.flowed, 0) + len(data)
        return Walked(None, data, NO_LINES)

    def flow_out(self) -> Walked:
        """The trailers are here, so the last chunk was: show an empty one."""
        if not self.is_wanted():
            return Walked(None, b"", NO_LINES)
        refusal = NO_ROOM
        if self.flowed < 0:
            refusal = NO_BODY
        return self.flow(b"", True, refusal)

    def meet_only_chunk(self, seat: Seat) -> Turn | None:
        """The body is here as a whole, for whoever wants it so: one chunk, the last."""
        if self.is_cut:
            return turn_oversize(seat, self.oversize)
        refusal = ""
        if not self.has_body and not self.forbidden:
            refusal = NO_BODY_HERE
        found = self.show(seat, Chunk(self.body, True, refusal))
        if found.turn is not None:
            return found.turn
        if found.data != self.body:
            self.put_body(found.data)
        return None

    def show(self, seat: Seat, chunk: Chunk) -> Walked:
        """A chunk at one filter."""
        message = self.message(seat)
        message.seal()
        found = run(seat, self.chunk, message, chunk)
        data = chunk.data
        if found.chunk is not None:
            data = found.chunk
        return Walked(found.turn, data, NO_LINES)

    def walk_trailers(self, hook: int, lines: Lines) -> Walked:
        """Show the trailers to every filter that wants them; the trailers as they then are."""
        for seat in self.in_order:
            if seat.saw_request and seat.has(hook):
                message = self.message(seat)
                message.seal()
                message.load_trailers(lines)
                found = run(seat, hook, message)
                if found.turn is not None:
                    return Walked(found.turn, b"", lines)
                lines = message.trailers.to_lines()
        return Walked(None, b"", lines)


def follow_body(lines: Lines, body: bytes, was_there: bool) -> Lines:
    """The lines after the body was replaced: content-length follows it, a chunked message stays chunked."""
    if lines.first("content-length") is None:
        return lines
    kept = lines.edited(Edit("content-length", [], False))
    if not was_there:
        return kept
    return kept.edited(Edit("content-length", [str(len(body)).encode()], True))
