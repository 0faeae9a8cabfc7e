"""What is told about each exchange to whoever measures it: metrics, traces.

A host asks its `Observer` for one `Sighting` for each exchange and hands it to the engine. Where nobody
observes, there is no observer (None) and nothing is called.
"""

from __future__ import annotations

import asyncio
from typing import Literal, NamedTuple, Protocol

from meshext.engine.effects import Effect
from meshext.engine.events import Event
from meshext.errors import FilterFailure, ProtocolError
from meshext.http.context import Surroundings
from meshext.http.headers import Lines
from meshext.needs import Hook

Mode = Literal["authz", "proc"]

InitialMetadata = tuple[tuple[str, str | bytes], ...]
"""A call's initial metadata, as gRPC tells them."""

Decision = Literal[
    "passed",
    "passed_open",
    "answered",
    "failed_closed",
    "oversize",
    "tunnel",
    "reset",
    "refused",
    "broken",
    "abandoned",
    "unseen",
]
"""How an exchange ended.

passed         every filter let it go on
passed_open    so, and a hook of a filter with `failure = "open"` had failed (`filter` is the first one)
answered       a filter's Respond went to the client in place of what was under way
failed_closed  a failed hook of a filter with `failure = "closed"` did: the 500 of a failure
oversize       a body above `max_body` did: 413, or 500 for a response
tunnel         an upgrade or CONNECT met a filter that wants whole bodies: 501
reset          the response had begun when a filter answered or failed, and was cut off
refused        a message was none that our configuration sends: a gRPC error, so Envoy's failure mode
broken         something failed inside the service: a gRPC error too
abandoned      Envoy took the call back before the request was decided, as where a client hangs up
unseen         Envoy answered before the filters saw a request (its own 400)
"""


class Outcome(NamedTuple):
    """How an exchange ended; `filter` is the one that decided ("" for none).

    `status` is that of an answer; of a response that passed where it was seen, else 0.
    """

    decision: Decision
    filter: str = ""
    status: int = 0


PASSED = Outcome("passed")
REFUSED, BROKEN, ABANDONED, UNSEEN = (
    Outcome("refused"),
    Outcome("broken"),
    Outcome("abandoned"),
    Outcome("unseen"),
)


class Sighting(Protocol):
    """One exchange as an observer sees it: any number of `hook`, then one `end`."""

    def request(self, lines: Lines, surroundings: Surroundings) -> None:
        """The request's headers are here; hooks run from now on, in this context or in copies of it."""

    def hook(self, name: str, hook: Hook, seconds: float, failure: FilterFailure | None) -> None:
        """A hook of the filter of that name has run, and failed where there is a failure."""

    def end(self, outcome: Outcome) -> None:
        """The exchange is over."""


class TappedSighting:
    """Base of a Sighting that is told every event as well, and what the chain wanted done about it."""

    __slots__ = ()

    def received(self, event: Event) -> None:
        """An event is about to reach the filters; nothing of it has been merged into the surroundings."""
        raise NotImplementedError

    def decided(self, effect: Effect) -> None:
        """What came of the last event. Not told where the work on it ended in an exception."""
        raise NotImplementedError


class Observer(Protocol):
    """Sees the exchanges of one worker, on its event loop's thread. Nothing of it raises."""

    def begin(self, mode: Mode, metadata: InitialMetadata) -> Sighting:
        """An exchange begins: `metadata` is the gRPC call's initial metadata."""

    def shed(self, mode: Mode, reason: str) -> None:
        """A call was turned away unread; `reason` is one of a few words, such as `in_flight`."""


def outcome_of(error: BaseException) -> Outcome:
    """How an exchange ended that an exception ended."""
    if isinstance(error, asyncio.CancelledError):
        return ABANDONED
    return REFUSED if isinstance(error, ProtocolError) else BROKEN
