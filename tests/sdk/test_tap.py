"""Who records is told every event before the filters meet it, and what came of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from meshext import Filter, Respond
from meshext.engine.carrier import IN_PROCESS
from meshext.engine.effects import Answer, Effect, Proceed
from meshext.engine.engine import Engine
from meshext.engine.events import Event, RequestBodyReceived, RequestHeadersReceived
from meshext.engine.observer import Outcome, TappedSighting
from meshext.errors import FilterFailure, ProtocolError
from meshext.http.context import Surroundings
from meshext.http.headers import Lines
from meshext.needs import Hook
from meshext.testing import Harness
from meshext.testing.patience import WATCH

LINES: Lines = ((":method", b"POST"), (":authority", b"a.test"), (":scheme", b"http"), (":path", b"/"))


class Noting(TappedSighting):
    def __init__(self) -> None:
        self.seen: list[object] = []

    def request(self, lines: Lines, surroundings: Surroundings) -> None:
        self.seen.append("request")

    def hook(self, name: str, hook: Hook, seconds: float, failure: FilterFailure | None) -> None:
        self.seen.append(hook)

    def end(self, outcome: Outcome) -> None:
        self.seen.append(outcome.decision)

    def received(self, event: Event) -> None:
        self.seen.append(event)

    def decided(self, effect: Effect) -> None:
        self.seen.append(effect)


class Guard(Filter):
    def on_request_body(self, request: Any) -> Respond | None:
        return Respond(403) if b"no" in request.body else None


def make() -> tuple[Engine, Noting]:
    noting = Noting()
    return Engine(Harness(Guard).chain, watch=WATCH, carrier=IN_PROCESS, sighting=noting), noting


def test_events_and_effects_come_in_order() -> None:
    engine, noting = make()
    begins = RequestHeadersReceived(lines=LINES, end=False, surroundings=Surroundings())
    body = RequestBodyReceived(body=b"no")
    asyncio.run(engine.receive(begins))
    asyncio.run(engine.receive(body))
    kinds = [type(each) if not isinstance(each, str) else each for each in noting.seen]
    assert kinds == [
        RequestHeadersReceived,
        "request",
        Proceed,
        RequestBodyReceived,
        Hook.ON_REQUEST_BODY,
        Answer,
    ]
    assert noting.seen[0] is begins
    assert noting.seen[3] is body


def test_an_event_out_of_order_is_not_told() -> None:
    engine, noting = make()
    with pytest.raises(ProtocolError):
        asyncio.run(engine.receive(RequestBodyReceived(body=b"")))
    assert noting.seen == []
