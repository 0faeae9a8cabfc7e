"""The engine: one exchange walks through a chain of filters.

The request meets the filters in the order given, the response in reverse, as in Envoy's own chain. A
filter that wants a whole body holds the message there: filters behind it see the headers only after its
body hook has run. The first Respond ends the request's way; that answer then passes, like any response,
the filters that saw the request, in reverse.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from itertools import repeat
from typing import Any

from meshext.engine.bounds import spare_bytes
from meshext.engine.carrier import Carrier
from meshext.engine.chain import Chain
from meshext.engine.effects import UNTOUCHED, Answer, Effect, Proceed, Reset
from meshext.engine.events import (
    Event,
    RequestBodyReceived,
    RequestChunkReceived,
    RequestHeadersReceived,
    RequestTrailersReceived,
    ResponseBodyReceived,
    ResponseChunkReceived,
    ResponseHeadersReceived,
    ResponseTrailersReceived,
)
from meshext.engine.hooks import HookRunner
from meshext.engine.message_pass import Pass
from meshext.engine.observer import ABANDONED, PASSED, UNSEEN, Outcome, Sighting, TappedSighting
from meshext.engine.phases import DIRECTION, ENDED, REQUEST, RESPONSE, START, TABLE, refuse_order
from meshext.engine.request_pass import RequestPass
from meshext.engine.response_pass import ResponsePass
from meshext.engine.retrospect import look_back
from meshext.engine.seat import Seat, take_metadata
from meshext.engine.turn import Turn
from meshext.engine.watch import Watch
from meshext.errors import FilterFailure, ProtocolError
from meshext.http.additions import Additions
from meshext.http.context import Surroundings
from meshext.http.headers import Lines
from meshext.http.parts import (
    NO_CHANGE,
    forbids_body,
    header_change,
    opens_tunnel,
    request_parts,
    response_parts,
)
from meshext.http.request import NOTHING as NO_REQUEST
from meshext.http.response import NOTHING as NO_RESPONSE
from meshext.needs import Hook

SPACES = re.compile(r"\s")  # Envoy puts underscores in their place, so all runtimes do


class Engine:
    """One exchange. `receive` an event, do what the effect says; `complete` when the exchange has ended."""

    # As an exchange begins; here, so that it costs nothing to say.
    answered = False
    _surroundings: Surroundings | None = None
    _seats: tuple[Seat, ...] = ()
    _forth: RequestPass | None = None
    _back: ResponsePass | None = None
    _began = 0.0
    _method = ""
    _response_after: float | None = None
    _cut: Turn | None = None
    """What cut the response off."""

    def __init__(
        self,
        chain: Chain,
        watch: Watch,
        carrier: Carrier,
        sighting: Sighting | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._chain = chain
        self._clock = clock
        self._sighting = sighting
        self._tap: TappedSighting | None = sighting if isinstance(sighting, TappedSighting) else None
        self._runner = HookRunner(watch, carrier, sighting)
        self._phases = {REQUEST: START, RESPONSE: START}

    @property
    def failures(self) -> list[FilterFailure]:
        """Every failure of a hook so far, those passed over by `failure = "open"` included."""
        return self._runner.failures

    @property
    def room(self) -> int:
        """Bytes that are held of a body by our configuration, for filters that want it whole."""
        return self._chain.room

    @property
    def request_id(self) -> str:
        """The id that logs and refusals carry."""
        return "" if self._surroundings is None else self._surroundings.request_id

    @property
    def _request(self) -> RequestPass:
        if self._forth is None:  # no filter ever sees this exchange
            self._forth = RequestPass((), self._runner, "", NO_REQUEST, 0)
            self._forth.finished = True
        return self._forth

    @property
    def _response(self) -> ResponsePass:
        if self._back is None:  # made when there is a response: with ext_authz only where a filter answers
            seats, style = self._seats, self._chain.response_body
            self._back = ResponsePass(seats, self._runner, style, NO_RESPONSE, len(seats) - 1)
        return self._back

    def outcome(self, abnormal: Outcome | None = None) -> Outcome:
        """How the exchange ended; `abnormal` is how the host's work on it did, if not by itself."""
        back = self._back
        status = 0 if back is None else back.parts.status
        if self._cut is not None:
            return Outcome("reset", self._cut.seat.mount.needs.name, status)
        if abnormal is not None:
            return abnormal
        turn = None if back is None else back.turn
        if turn is not None:
            return Outcome(turn.cause, turn.seat.mount.needs.name, status)
        if self._phases[REQUEST] is START:
            return UNSEEN if status else ABANDONED
        if self._forth is not None and not self._forth.finished:
            return ABANDONED
        if not status and not self._runner.opened:
            return PASSED
        return Outcome("passed_open" if self._runner.opened else "passed", self._runner.opened, status)

    async def receive(self, event: Event) -> Effect:
        """What to do about an event; ProtocolError where it comes out of order."""
        if self.answered:
            raise ProtocolError(f"{type(event).__name__} after the exchange was answered")
        kind = type(event)
        direction = DIRECTION[kind]
        before = self._phases[direction]
        phase = TABLE.get((before, kind))
        if phase is None:
            refuse_order(before, kind)
        self._phases[direction] = ENDED if event.end else phase
        if self._tap is not None:
            self._tap.received(event)
        if kind is RequestHeadersReceived:
            self._surroundings = event.surroundings  # type: ignore[union-attr]  # told by `kind`
        if self._surroundings is not None and (event.attributes or event.metadata):
            self._surroundings.attributes.update(event.attributes)
            self._surroundings.metadata.update(event.metadata)
        effect = await TURNS[kind](self, event)
        if self._tap is not None:
            self._tap.decided(effect)
        self.answered = not isinstance(effect, Proceed)
        return effect

    @property
    def has_completion(self) -> bool:
        """Whether `complete` has a hook to run."""
        return self._chain.completes and bool(self._seats)

    async def complete(self) -> None:
        """The exchange has ended, however: run every `on_complete`, in reverse."""
        for seat in reversed(self._seats):
            if seat.saw_request and seat.has(Hook.ON_COMPLETE):
                exchange = look_back(
                    seat,
                    self._request,
                    self._response,
                    ended=self._clock() - self._began,
                    response_after=self._response_after,
                )
                # A failure is in the log; there is nothing left to refuse.
                await self._runner.run(seat, Hook.ON_COMPLETE, exchange)

    def _take_body(self, way: Pass[Any], event: RequestBodyReceived | ResponseBodyReceived) -> None:
        if way.chunked:
            raise ProtocolError("the body came as a whole, and a filter wants it in chunks")
        way.body_arrived(event.body, cut=len(event.body) > self._chain.room)

    async def _flows(self, event: RequestChunkReceived | ResponseChunkReceived) -> Effect:
        way: Pass[Any] = self._request if isinstance(event, RequestChunkReceived) else self._response
        if not way.chunked:
            raise ProtocolError("the body came in chunks, and a filter wants it as a whole")
        found = await way.flow(event.body, last=event.end)
        if isinstance(found, Turn):
            return await self._answer(found)
        changed, metadata = None if found == event.body else found, take_metadata(self._seats)
        return Proceed(body=changed, metadata=metadata) if changed is not None or metadata else UNTOUCHED

    def _request_begins(self, event: RequestHeadersReceived) -> Coroutine[Any, Any, Effect]:
        self._began = self._clock()
        surroundings = event.surroundings
        if self._sighting is not None:
            self._sighting.request(event.lines, surroundings)
        chain, parts = self._chain, request_parts(event.lines)
        seats = self._seats = tuple(map(Seat, chain.mounts, repeat(surroundings)))
        request = self._forth = RequestPass(seats, self._runner, chain.request_body, parts, 0, event.end)
        self._runner.spare = spare_bytes(event.size)
        self._method = parts.method
        self._back = None
        return self._request_goes_on(request, more=not event.end, begins=True)

    def _request_body(self, event: RequestBodyReceived) -> Coroutine[Any, Any, Effect]:
        request = self._request
        self._take_body(request, event)
        return self._request_goes_on(request, more=not event.end)

    async def _request_goes_on(self, request: RequestPass, *, more: bool, begins: bool = False) -> Effect:
        turn = await request.advance()
        if turn is None and begins and self._chain.stops_tunnels:
            turn = request.stop_tunnel()
        if turn is not None:
            return await self._answer(turn)
        skips = begins and more and bool(request.style) and request.finished and not request.is_wanted
        asks = more and self._chain.adds_late
        if begins:
            self._runner.unasked = more and not asks and not self._additions()
        if not (skips or asks or self._runner.wrote) and request.untouched:
            return UNTOUCHED
        headers, additions = request.take_change(), self._additions() if self._runner.added else ()
        body = request.take_body() if request.style else None
        clear_route, want_response = headers != NO_CHANGE, asks or additions != ()
        metadata = take_metadata(self._seats) if self._runner.published else {}
        return Proceed(headers, body, skips, clear_route, want_response, additions, metadata)

    def _additions(self) -> tuple[Additions, ...]:
        """What filters put on the response by now, as it meets them."""
        found: tuple[Additions, ...] = ()
        for seat in self._seats:
            written = seat.view.response_headers
            if written is not None and any(added := written.snapshot()):
                found = (added, *found)
        return found

    async def _request_ends(self, event: RequestTrailersReceived) -> Effect:
        request, tail = self._request, None
        turn: Any = None
        if request.chunked:
            turn = tail = await request.flow_out()
        elif not request.finished:
            request.body_arrived(b"")
            turn = await request.advance()
        if not isinstance(turn, Turn):
            turn = await request.walk_trailers(event.lines)
        if isinstance(turn, Turn):
            return await self._answer(turn)
        if request.take_change() or request.take_body() is not None:
            raise ProtocolError("the request was changed after its headers had left")
        return self._end(event.lines, turn, tail)

    async def _response_begins(self, event: ResponseHeadersReceived) -> Effect:
        response, parts = self._response, response_parts(event.lines)
        self._response_after = self._clock() - self._began
        self._runner.spare = min(self._runner.spare, spare_bytes(event.size))
        response.headers_arrived(parts)
        tunnel = bool(response.style) and opens_tunnel(self._method, parts.status)
        if event.end or (tunnel and not response.chunked):
            response.body_arrived(b"", there=False)
        effect = await self._response_goes_on(response)
        if event.end or not response.style or not isinstance(effect, Proceed) or not response.released:
            return effect
        return effect if response.body is None and response.is_wanted else replace(effect, skip_body=True)

    def _response_body(self, event: ResponseBodyReceived) -> Coroutine[Any, Any, Effect]:
        response = self._response
        self._take_body(response, event)
        return self._response_goes_on(response)

    async def _response_goes_on(self, response: ResponsePass) -> Effect:
        await response.advance()
        if response.details is not None:
            return self._build_answer()
        if response.untouched and not self._runner.wrote:
            return UNTOUCHED
        body = response.take_body()
        if forbids_body(self._method, response.parts.status):
            body = None  # some Envoys would put it on the wire, where the next response is expected
        change, metadata = response.take_change(), take_metadata(self._seats)
        if not (change or metadata) and body is None:
            return UNTOUCHED
        return Proceed(headers=change, body=body, metadata=metadata)

    async def _response_ends(self, event: ResponseTrailersReceived) -> Effect:
        response, tail = self._response, None
        turn: Any = None
        if response.chunked:
            turn = tail = await response.flow_out()
        elif not response.released:
            response.body_arrived(b"")
            await response.advance()
            if response.details is not None:
                return self._build_answer()
            if response.take_change() or response.take_body() is not None:
                raise ProtocolError("the response was changed after its headers had left")
        if not isinstance(turn, Turn):
            turn = await response.walk_trailers(event.lines)
        return self._cut_off(turn) if isinstance(turn, Turn) else self._end(event.lines, turn, tail)

    def _end(self, before: Lines, after: Lines, tail: Any) -> Proceed:
        return Proceed(
            headers=header_change(before, after), body=tail or None, metadata=take_metadata(self._seats)
        )

    async def _answer(self, turn: Turn) -> Effect:
        if self._response.released:
            return self._cut_off(turn)
        await self._response.answer(turn)
        return self._build_answer()

    def _cut_off(self, turn: Turn) -> Reset:
        self._cut = turn
        return Reset(reason=turn.respond.details)

    def _build_answer(self) -> Answer:
        response = self._response
        return Answer(
            status=response.parts.status,
            lines=response.parts.lines,
            body=response.body or b"",
            details=SPACES.sub("_", response.details or ""),
            metadata=take_metadata(self._seats),
        )


TURNS: Mapping[type[Event], Callable[[Engine, Any], Coroutine[Any, Any, Effect]]] = {
    RequestHeadersReceived: Engine._request_begins,
    RequestBodyReceived: Engine._request_body,
    RequestChunkReceived: Engine._flows,
    RequestTrailersReceived: Engine._request_ends,
    ResponseHeadersReceived: Engine._response_begins,
    ResponseBodyReceived: Engine._response_body,
    ResponseChunkReceived: Engine._flows,
    ResponseTrailersReceived: Engine._response_ends,
}
"""Who answers which event."""
