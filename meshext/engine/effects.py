"""What the engine wants done about an event; the carrier puts it on its wire."""

from __future__ import annotations

from dataclasses import dataclass, field

from meshext.http.additions import Additions
from meshext.http.headers import Lines
from meshext.http.metadata import Namespaces
from meshext.http.parts import NO_CHANGE, HeaderChange


@dataclass(slots=True)  # nobody writes to it, and it can be made by position; see the events
class Proceed:
    """The exchange goes on.

    `headers` is what to change in the message's headers (in a trailers event: in its trailers), `body` a
    new body or chunk, or None (in a trailers event: bytes to go before them). `skip_body` says that nobody
    wants the body that follows these headers. `clear_route` asks for the route to be matched again.
    `additions` are waiting to be put on the response; `want_response` asks a carrier that would skip the
    response to show its headers.
    """

    headers: HeaderChange = NO_CHANGE
    body: bytes | None = None
    skip_body: bool = False
    clear_route: bool = False
    want_response: bool = False
    additions: tuple[Additions, ...] = ()
    metadata: Namespaces = field(default_factory=dict)


UNTOUCHED = Proceed()
"""Most effects: nothing to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The client gets this response, and the upstream's (if there ever is one) does not reach it."""

    status: int
    lines: Lines
    body: bytes
    details: str
    metadata: Namespaces = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """The response has begun and can not be taken back: cut it off."""

    reason: str


Effect = Proceed | Answer | Reset
