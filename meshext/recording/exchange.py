"""One recorded exchange as plain data: what came, what the filters decided, how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise

from meshext.engine.observer import Decision as Ending
from meshext.engine.observer import Mode
from meshext.http.additions import Additions
from meshext.http.context import AttributeValue
from meshext.http.headers import Lines
from meshext.http.metadata import Namespaces
from meshext.http.parts import NO_CHANGE, HeaderChange
from meshext.http.peer import Peer


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A body as far as filters saw it.

    `data` is its beginning, `size` the bytes there were, `chunks` the size of each chunk where it came in
    chunks: none where there was no body, which is not the same as an empty one. `more` says that it went on
    beyond that, which nobody here saw.
    """

    data: bytes
    size: int
    chunks: tuple[int, ...] | None = None
    more: bool = False

    @property
    def complete(self) -> bool:
        """Whether all of it is here."""
        return len(self.data) == self.size and not self.more

    def pieces(self) -> tuple[bytes, ...]:
        """The chunks as they came; one for a body that came whole, none where there was none."""
        if self.chunks is None:
            return (self.data,)
        return tuple(self.data[start:end] for start, end in pairwise(accumulate(self.chunks, initial=0)))

    def kept_chunks(self) -> tuple[bytes, ...]:
        """Those chunks that are here from end to end."""
        ends = accumulate(self.chunks or ())
        return tuple(piece for piece, end in zip(self.pieces(), ends, strict=False) if end <= len(self.data))


NO_BODY = Body(data=b"", size=0, chunks=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request or a response as Envoy showed it.

    `lines` begin with the pseudo-headers. `body` and `trailers` are None where Envoy was not asked for
    them, so that nobody knows; a message without has `NO_BODY` and (). `attributes` and `metadata` are what
    Envoy told beside it.
    """

    lines: Lines
    body: Body | None = None
    trailers: Lines | None = None
    attributes: dict[str, AttributeValue] = field(default_factory=dict)
    metadata: Namespaces = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What filters changed in a message; `body` None where it went on as it came."""

    headers: HeaderChange = NO_CHANGE
    body: Body | None = None
    trailers: HeaderChange = NO_CHANGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What the client got in place of what was under way."""

    status: int
    lines: Lines
    body: Body
    details: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRuns:
    """All runs of one hook of one filter; `failed` are the kind and the text of each failure."""

    filter: str
    hook: str
    runs: int
    seconds: float
    failed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the filters did with an exchange.

    `outcome` and `filter` are those of `meshext.engine.observer`; `sent` says whether the request went on
    to the upstream. `request` is what the upstream got in another form, `response` what the client did;
    `answer` stands in the response's place. `additions` are what filters of the request put on the response,
    `reset` is why a response was cut off, `metadata` what filters wrote.
    """

    outcome: Ending
    sent: bool
    filter: str = ""
    request: Change = Change()
    response: Change = Change()
    additions: tuple[Additions, ...] = ()
    answer: Answered | None = None
    reset: str = ""
    metadata: Namespaces = field(default_factory=dict)
    hooks: tuple[HookRuns, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Who decided: the filters, and what Envoy was asked to tell them.

    `config` is a digest of the configurations, `redacted` the headers whose values are not kept.
    """

    specs: tuple[str, ...]
    config: str
    filters: tuple[str, ...]
    attributes: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    redacted: tuple[str, ...] = ()

    def unredacted(self) -> Served:
        """The same, where nothing is left out."""
        return replace(self, redacted=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One exchange. `time` is in seconds since 1970, `seconds` how long it was open in the service."""

    time: float
    request_id: str
    mode: Mode
    seconds: float
    served: Served
    peer: Peer
    client_address: str
    route: str
    cluster: str
    request: Message
    response: Message | None
    decision: Decision
