"""How Envoy shows the body of one direction, in each style, and what it does with the length meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from meshext.bodies import CHUNKED, BodyStyle
from meshext.engine.effects import Effect, Proceed
from meshext.engine.events import (
    Event,
    RequestBodyReceived,
    RequestChunkReceived,
    ResponseBodyReceived,
    ResponseChunkReceived,
)
from meshext.http.headers import Lines
from meshext.plan import Plan
from meshext.testing.carriage import apply_change

Whole = RequestBodyReceived | ResponseBodyReceived
Chunk = RequestChunkReceived | ResponseChunkReceived


class BodyEvents(NamedTuple):
    """The events of one direction."""

    whole: type[Whole]
    chunk: type[Chunk]

    def split(
        self, style: BodyStyle, chunks: Sequence[bytes], room: int, *, trailers: bool
    ) -> Iterator[Whole | Chunk]:
        """What is sent of a body; `room` is how much of one that is held."""
        if not style or not chunks:
            return
        if style in CHUNKED:
            for number, chunk in enumerate(chunks, 1):
                yield self.chunk(body=chunk, end=number == len(chunks) and not trailers)
            return
        body = b"".join(chunks)
        shown = body[: room + 1] if style == "partial" else body
        yield self.whole(body=shown, end=shown == body and not trailers)


REQUEST = BodyEvents(RequestBodyReceived, RequestChunkReceived)
RESPONSE = BodyEvents(ResponseBodyReceived, ResponseChunkReceived)


class Part:
    """A message under way: its lines and body as they are, and the chunks that it came in."""

    def __init__(self, lines: Lines, body: bytes, chunks: tuple[bytes, ...]) -> None:
        self.lines = lines
        self.body = body
        self.chunks = chunks
        self._flowed = False

    def take(self, event: Event, effect: Proceed) -> None:
        """Go on after an event about the body."""
        self.lines = apply_change(self.lines, effect.headers)
        if isinstance(event, Chunk):
            self.body = (self.body if self._flowed else b"") + (
                event.body if effect.body is None else effect.body
            )
            self._flowed = True
        elif effect.body is not None:
            self.body = effect.body

    def end(self, trailers: Lines, effect: Effect) -> Lines:
        """Go on after the trailers; the trailers as they then are."""
        assert isinstance(effect, Proceed)
        self.body += effect.body or b""
        return apply_change(trailers, effect.headers)


def shown_style(plan: Plan, style: BodyStyle, effect: Effect) -> BodyStyle:
    """How a body is shown after its headers: not at all where nobody wants it."""
    assert isinstance(effect, Proceed)
    # with full duplex Envoy obeys no mode_override
    obeyed = "duplex" not in (plan.request_body, plan.response_body)
    return "" if effect.skip_body and obeyed else style


def keeps_length(style: BodyStyle, shown: BodyStyle, *, end: bool) -> bool:
    """Whether the content-length goes on: chunks may change it, and Envoy does not wait for them."""
    if style in ("", "whole"):
        return True
    return shown != "duplex" if end else shown == ""


def without_length(lines: Lines) -> Lines:
    """The lines without content-length."""
    return tuple(line for line in lines if line[0] != "content-length")
