"""One message of an exchange while it goes through the engine: what came, and what it was made to."""

from __future__ import annotations

from meshext.bodies import BodyStyle
from meshext.engine.effects import Proceed
from meshext.engine.events import (
    Event,
    RequestChunkReceived,
    RequestHeadersReceived,
    RequestTrailersReceived,
    ResponseChunkReceived,
    ResponseHeadersReceived,
    ResponseTrailersReceived,
)
from meshext.http.context import AttributeValue
from meshext.http.headers import Lines
from meshext.http.metadata import Namespaces
from meshext.http.parts import HeaderChange, group
from meshext.needs import DEFAULT_MAX_BODY
from meshext.recording.exchange import NO_BODY, Body, Change, Message

MOST_BODY = DEFAULT_MAX_BODY + 1  # bytes kept of one body; so many tell that it is too long
MOST_CHUNKS = 10_000  # chunks kept of one body


class BodyTape:
    """A body as it arrives; keeps its beginning."""

    __slots__ = ("_chunks", "_kept", "_more", "_room", "size")

    def __init__(self, *, chunked: bool) -> None:
        self._chunks: list[int] | None = [] if chunked else None
        self._kept: list[bytes] = []
        self._room = MOST_BODY
        self._more = False
        self.size = 0

    def add(self, data: bytes) -> None:
        """Some more of it."""
        if self._chunks is not None and len(self._chunks) == MOST_CHUNKS:
            self._more = True
            return
        if self._chunks is not None:
            self._chunks.append(len(data))
        self.size += len(data)
        if self._room and data:
            self._kept.append(data[: self._room])
            self._room -= len(self._kept[-1])

    def body(self, *, more: bool = False) -> Body:
        """What there is by now."""
        chunks = None if self._chunks is None else tuple(self._chunks)
        return Body(data=b"".join(self._kept), size=self.size, chunks=chunks, more=more or self._more)


class MessageTape:
    """A request or a response; `received` and `proceeded` are called in turns."""

    def __init__(
        self, lines: Lines, attributes: dict[str, AttributeValue], metadata: Namespaces, *, end: bool
    ) -> None:
        self.ended = end
        self._lines = lines
        self._attributes = attributes
        self._metadata = metadata
        self._body: BodyTape | None = None
        self._trailers: Lines | None = () if end else None
        self._bodiless = end
        self._skipped = False
        self._headers: dict[str, tuple[bytes, ...] | None] = {}
        self._sent: BodyTape | None = None  # what went on of the body
        self._changed = False
        self._trailer_change = HeaderChange()

    def received(self, event: Event) -> None:
        """More of the message, after its headers."""
        self._attributes |= event.attributes
        self._metadata |= event.metadata
        if isinstance(event, RequestTrailersReceived | ResponseTrailersReceived):
            self._trailers, self.ended = event.lines, True
        elif not isinstance(event, RequestHeadersReceived | ResponseHeadersReceived):
            if self._body is None:
                self._body = BodyTape(chunked=isinstance(event, RequestChunkReceived | ResponseChunkReceived))
            self._body.add(event.body)
            self.ended = event.end

    def proceeded(self, event: Event, effect: Proceed) -> None:
        """The event's part of the message went on, changed or not."""
        if isinstance(event, RequestTrailersReceived | ResponseTrailersReceived):
            self._trailer_change = effect.headers
            self._send(effect.body)
            return
        self._headers |= dict.fromkeys(effect.headers.remove)
        self._headers |= dict(effect.headers.replace)
        if isinstance(event, RequestHeadersReceived | ResponseHeadersReceived):
            self._send(effect.body)
            self._skipped = effect.skip_body
            return
        self._changed = self._changed or effect.body is not None
        if self._sent is None:
            self._sent = BodyTape(chunked=False)
        self._sent.add(event.body if effect.body is None else effect.body)

    def message(self, style: BodyStyle, room: int, *, asked_trailers: bool) -> Message:
        """The message as it came; `style` and `asked_trailers` are what Envoy was told to show of it.

        Where a body may be shown in part, one with more than `room` bytes is.
        """
        trailers = self._trailers
        if trailers is None and self.ended and asked_trailers:
            trailers = ()
        return Message(
            lines=self._lines,
            body=self._shown_body(style, room),
            trailers=trailers,
            attributes=self._attributes,
            metadata=self._metadata,
        )

    def change(self) -> Change:
        """What it was made to on its way."""
        return Change(
            headers=net_change(self._lines, self._headers),
            body=self._sent.body() if self._changed and self._sent is not None else None,
            trailers=self._trailer_change,
        )

    def _send(self, body: bytes | None) -> None:
        if body is not None:
            self._changed = True
            if self._sent is None:
                self._sent = BodyTape(chunked=False)
            self._sent.add(body)

    def _shown_body(self, style: BodyStyle, room: int) -> Body | None:
        if self._body is not None:
            cut = style == "partial" and self._body.size > room
            return self._body.body(more=cut or not self.ended)
        # a message of trailers alone comes without a body event
        nothing = self._bodiless or (style and self.ended and not self._skipped)
        return NO_BODY if nothing else None


def net_change(lines: Lines, written: dict[str, tuple[bytes, ...] | None]) -> HeaderChange:
    """What several changes come to in the end, by name."""
    before = group(lines, written)
    return HeaderChange(
        remove=tuple(sorted(name for name, values in written.items() if not values and name in before)),
        replace=tuple(
            (name, values)
            for name, values in sorted(written.items())
            if values and values != before.get(name)
        ),
    )
