"""An exchange while it goes through the engine, written down as events and effects pass."""

from __future__ import annotations

import time
from collections.abc import Callable

from meshext.attributes import ATTRIBUTES
from meshext.engine.effects import Answer, Effect, Proceed, Reset
from meshext.engine.events import Event, RequestHeadersReceived, ResponseHeadersReceived
from meshext.engine.observer import Outcome, Sighting, TappedSighting
from meshext.engine.phases import DIRECTION, Direction
from meshext.errors import FilterFailure
from meshext.http.additions import Additions
from meshext.http.context import AttributeValue, Surroundings
from meshext.http.headers import Lines
from meshext.http.metadata import Namespaces
from meshext.needs import DEFAULT_MAX_BODY, Hook
from meshext.plan import Plan
from meshext.recording.exchange import Answered, Change, Decision, HookRuns, Recorded, Served
from meshext.recording.message_tape import BodyTape, MessageTape
from meshext.recording.redaction import redact

UNDECIDED = frozenset({"refused", "broken", "abandoned", "unseen"})
"""Outcomes of exchanges that the filters did not come to an end with."""

MOST_FAILURES = 100  # kept of one hook, which may run for every chunk


class Tape(TappedSighting):
    """One exchange. What it is told it hands on to another sighting; `keep` gets what was recorded."""

    def __init__(
        self, served: Served, plan: Plan, keep: Callable[[Recorded], None], sighting: Sighting | None = None
    ) -> None:
        self._served = served
        self._plan = plan
        self._keep = keep
        self._sighting = sighting
        self._event: Event | None = None  # that the engine works on
        self._time = time.time()
        self._began = time.monotonic()
        self._surroundings = Surroundings()
        self._request: MessageTape | None = None
        self._response: MessageTape | None = None
        self._additions: tuple[Additions, ...] = ()
        self._answer: Answered | None = None
        self._unsent = False  # whether the answer came in place of the request's own way
        self._reset = ""
        self._metadata: Namespaces = {}
        self._hooks: dict[tuple[str, str], tuple[int, float, tuple[tuple[str, str], ...]]] = {}

    def request(self, lines: Lines, surroundings: Surroundings) -> None:
        """As an observer is told."""
        if self._sighting is not None:
            self._sighting.request(lines, surroundings)

    def hook(self, name: str, hook: Hook, seconds: float, failure: FilterFailure | None) -> None:
        """As an observer is told."""
        if self._sighting is not None:
            self._sighting.hook(name, hook, seconds, failure)
        key = (name, hook.value)
        runs, total, failed = self._hooks.get(key, (0, 0.0, ()))
        if failure is not None and len(failed) < MOST_FAILURES:
            failed = (*failed, (failure.kind, str(failure)))
        self._hooks[key] = (runs + 1, total + seconds, failed)

    def end(self, outcome: Outcome) -> None:
        """As an observer is told; where no request was seen there is nothing to keep."""
        if self._sighting is not None:
            self._sighting.end(outcome)
        if self._request is not None:
            self._keep(self._finish(self._request, outcome))

    def received(self, event: Event) -> None:
        """An event, before the engine has it."""
        self._event = event
        if isinstance(event, RequestHeadersReceived):
            self._surroundings = event.surroundings
            self._request = MessageTape(
                event.lines,
                sent_attributes(event.surroundings.attributes) | event.attributes,
                event.surroundings.metadata | event.metadata,
                # ext_authz is told so wherever no filter wants bodies
                end=event.end and self._plan.mode == "proc",
            )
        elif isinstance(event, ResponseHeadersReceived):
            self._response = MessageTape(
                event.lines, dict(event.attributes), dict(event.metadata), end=event.end
            )
        elif (way := self._way(event)) is not None:
            way.received(event)

    def decided(self, effect: Effect) -> None:
        """What the engine wants done about it."""
        event = self._event
        assert event is not None
        if isinstance(effect, Reset):
            self._reset = effect.reason
            return
        for namespace, values in effect.metadata.items():
            self._metadata[namespace] = {**self._metadata.get(namespace, {}), **values}
        if isinstance(effect, Proceed):
            self._additions = effect.additions or self._additions
            if (way := self._way(event)) is not None:
                way.proceeded(event, effect)
            return
        self._answer = to_answered(effect)
        self._unsent = DIRECTION[type(event)] is Direction.REQUEST

    def _finish(self, request: MessageTape, outcome: Outcome) -> Recorded:
        plan, around, response = self._plan, self._surroundings, self._response
        room = max(DEFAULT_MAX_BODY, plan.max_body)
        assert plan.mode != "wasm"  # a service records, and none carries that
        recorded = Recorded(
            time=self._time,
            request_id=around.request_id,
            mode=plan.mode,
            seconds=time.monotonic() - self._began,
            served=self._served,
            peer=around.peer,
            client_address=around.client_address,
            route=around.route,
            cluster=around.cluster,
            request=request.message(plan.request_body, room, asked_trailers=plan.request_trailers),
            response=None
            if response is None
            else response.message(plan.response_body, room, asked_trailers=plan.response_trailers),
            decision=self._decision(request, outcome),
        )
        return redact(recorded, frozenset(self._served.redacted))

    def _decision(self, request: MessageTape, outcome: Outcome) -> Decision:
        response = self._response
        decided = outcome.decision not in UNDECIDED
        return Decision(
            outcome=outcome.decision,
            sent=not self._unsent if decided else response is not None,
            filter=outcome.filter,
            request=Change() if self._unsent else request.change(),
            response=Change() if response is None or self._answer is not None else response.change(),
            additions=self._additions,
            answer=self._answer,
            reset=self._reset,
            metadata=self._metadata,
            hooks=tuple(
                HookRuns(filter=name, hook=hook, runs=runs, seconds=total, failed=failed)
                for (name, hook), (runs, total, failed) in self._hooks.items()
            ),
        )

    def _way(self, event: Event) -> MessageTape | None:
        return self._request if DIRECTION[type(event)] is Direction.REQUEST else self._response


def to_answered(answer: Answer) -> Answered:
    """An answer, with as much of its body as is kept."""
    body = BodyTape(chunked=False)
    body.add(answer.body)
    return Answered(status=answer.status, lines=answer.lines, body=body.body(), details=answer.details)


def sent_attributes(attributes: dict[str, AttributeValue]) -> dict[str, AttributeValue]:
    """Those that Envoy sent; the others follow from the request's own lines."""
    return {
        name: value
        for name, value in attributes.items()
        if name not in ATTRIBUTES or ATTRIBUTES[name].carrier != "request"
    }
