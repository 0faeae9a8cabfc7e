"""What the ways of request and response through the filters have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Generic, TypeVar

from meshext.bodies import CHUNKED, BodyHooks, BodyStyle
from meshext.engine.hooks import Chunk, HookRunner
from meshext.engine.seat import Seat
from meshext.engine.turn import Turn, turn_of, turn_oversize
from meshext.http.headers import Lines
from meshext.http.parts import RequestParts, ResponseParts
from meshext.http.request import Request
from meshext.http.response import Response
from meshext.needs import Hook

P = TypeVar("P", RequestParts, ResponseParts)

NO_ROOM = "where trailers follow, nothing can be added to the body any more; use duplex = True"
NO_BODY = "where trailers follow, nothing can be put in the place of a body that is not there"


class Pass(ABC, Generic[P]):
    """A message under way: `parts` is what it is now, but for its body.

    `body` is None until it has arrived as a whole, b"" where the message has none: so a policy about bodies
    can not be avoided by leaving the body out. `is_cut` says that it may be a part of a long one. `flowed`
    counts the bytes of chunks that went on, None before the first one.
    """

    BODY: ClassVar[BodyHooks]
    OVERSIZE: ClassVar[int]
    """The status for a body that is too long."""

    parts: P
    _sent: P
    # As a message begins; here, so that one which has no body costs nothing for it.
    _sent_body: bytes | None = None
    is_cut = False
    body: bytes | None = None
    has_body = False
    flowed: int | None = None
    finished = False
    """Whether every filter has let it go on."""

    def __init__(
        self,
        seats: tuple[Seat, ...],
        runner: HookRunner,
        style: BodyStyle,
        parts: P,
        at: int,
        bodiless: bool = False,
    ) -> None:
        self._seats = seats
        self._runner = runner
        self.style = style
        self._sent = self.parts = parts
        self._at = at
        if bodiless:
            self.body = self._sent_body = b""

    def body_arrived(self, body: bytes, *, there: bool = True, cut: bool = False) -> None:
        """The body is here; b"" where it is empty or not `there` at all, a part where it may be `cut`."""
        if self.body is None:
            self.body = self._sent_body = body
            self.has_body = there
            self.is_cut = cut

    def take_body(self) -> bytes | None:
        """The body, if a filter changed it since it arrived or was last taken."""
        if self.body is None or self.body == self._sent_body:
            return None
        self._sent_body = self.body
        return self.body

    @property
    def untouched(self) -> bool:
        """Whether nothing in it has changed since it arrived or was last taken."""
        return self.parts is self._sent and self.body is self._sent_body

    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks, which flow on their own behind the headers."""
        return self.style in CHUNKED

    @property
    def is_wanted(self) -> bool:
        """Whether any filter still wants this body."""
        return any(map(self._wants_body, self._seats))

    async def flow(self, data: bytes, *, last: bool, refusal: str = "") -> Turn | bytes:
        """Show a chunk to every filter that wants them; the chunk as it then is.

        `refusal` is why no bytes can go on, "" where they can.
        """
        for seat in self._in_order():
            if (data or last) and seat.saw_request and self._wants_body(seat):
                found = await self._show(seat, Chunk(data, last, refusal))
                if isinstance(found, Turn):
                    return found
                data = found
        self.flowed = (self.flowed or 0) + len(data)
        return data

    async def flow_out(self) -> Turn | bytes:
        """The trailers are here, so the last chunk was: show an empty one."""
        if not self.is_wanted:
            return b""
        refusal = NO_BODY if self.flowed is None else NO_ROOM if self.style == "stream" else ""
        return await self.flow(b"", last=True, refusal=refusal)

    @abstractmethod
    def _message(self, seat: Seat) -> Request[Any] | Response[Any]:
        """The message as that filter holds it."""

    @abstractmethod
    def _in_order(self) -> Iterable[Seat]:
        """The filters as this message meets them."""

    @abstractmethod
    def _put_body(self, body: bytes) -> None:
        """Put another body in the message's place; what the headers say of it follows."""

    def _take_parts(self, loaded: P, parts: P) -> None:
        """The message as the body's hook left it; the very parts that were loaded where it wrote nothing."""
        if parts is loaded:
            return
        self.parts = parts.with_body(None)
        if parts.body is not None and parts.body != loaded.body:
            self._put_body(parts.body)

    @abstractmethod
    def _wants_body(self, seat: Seat) -> bool:
        """Whether that filter still wants this body."""

    async def _meet_only_chunk(self, seat: Seat, body: bytes) -> Turn | None:
        """The body is here as a whole, for whoever wants it so: one chunk, the last."""
        if self.is_cut:
            return turn_oversize(seat, self.OVERSIZE)
        found = await self._show(seat, Chunk(body, last=True))
        if isinstance(found, Turn):
            return found
        if found != body:
            self._put_body(found)
        return None

    async def _show(self, seat: Seat, chunk: Chunk) -> Turn | bytes:
        message = self._message(seat)
        if not message.sealed:
            message.seal()
        found = await self._runner.run(seat, self.BODY.chunk, message, chunk)
        if found is None:
            return chunk.data
        return found if isinstance(found, bytes) else turn_of(found, seat)

    async def _walk_trailers(self, seats: Iterable[Seat], hook: Hook, lines: Lines) -> Turn | Lines:
        """Show the trailers to every filter that wants them; the trailers as they then are."""
        for seat in seats:
            if not seat.saw_request or not seat.has(hook):
                continue
            message = self._message(seat)
            message.seal()
            message.load_trailers(lines)
            found = await self._runner.run(seat, hook, message)
            if found is not None:
                return turn_of(found, seat)
            lines = message.trailers.to_lines()
        return lines
