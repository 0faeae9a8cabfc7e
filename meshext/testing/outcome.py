"""What goes into an exchange of the harness and what comes out, as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from meshext.engine.effects import Effect
from meshext.engine.events import Event
from meshext.errors import FilterFailure
from meshext.http.headers import Headers, Lines
from meshext.http.legal import encode
from meshext.http.metadata import Namespaces

HeadersLike = Mapping[str, str] | Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the upstream answers. `headers` and `trailers` are a mapping or pairs, `body` is bytes.

    `content-length` is added as a server would, unless there are trailers (then the body is chunked).
    `chunks` is a body in the pieces that it comes in.
    """

    status: int = 200
    headers: HeadersLike = ()
    body: bytes = b""
    trailers: HeadersLike = ()
    chunks: Sequence[bytes] = ()

    def __post_init__(self) -> None:
        if self.chunks:
            object.__setattr__(self, "body", b"".join(self.chunks))

    def pieces(self) -> tuple[bytes, ...]:
        """The body in the pieces that it comes in; none where it is empty."""
        return tuple(self.chunks) or ((self.body,) if self.body else ())


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamRequest:
    """The request as the upstream gets it; `host` with port, `target` with query."""

    method: str
    scheme: str
    host: str
    target: str
    headers: Headers
    body: bytes
    trailers: Headers

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """One log record of the exchange; `filter` and `hook` are "" where none was running.

    `traceback` is the formatted exception, "" where there is none.
    """

    level: str
    message: str
    filter: str
    hook: str
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One event, and what the chain wanted done about it."""

    event: Event
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one exchange.

    `status`, `headers`, `body` and `trailers` are the client's; `upstream` is None where the request did
    not get there. `details` is for the access log. `metadata` is what filters wrote, by namespace.
    `failures` are those of hooks, also where `failure = "open"` passed over them. `reset` says that the
    response was cut off after it had begun.
    """

    status: int
    headers: Headers
    body: bytes
    trailers: Headers
    upstream: UpstreamRequest | None
    answered_by: Literal["filter", "upstream"]
    details: str
    metadata: Namespaces
    failures: tuple[FilterFailure, ...]
    logs: tuple[Log, ...] = ()
    steps: tuple[Step, ...] = field(default=(), repr=False)
    reset: bool = False


def lines_of(given: HeadersLike) -> Lines:
    """Header lines from a mapping or pairs, unchecked, as a peer may send them."""
    pairs = given.items() if isinstance(given, (Mapping, Headers)) else given
    return tuple((name.lower(), encode(value)) for name, value in pairs)
