"""One hook, run atomically: what it wrote counts when it returns and is gone when it fails."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Mapping
from time import perf_counter
from types import CoroutineType
from typing import Any, NamedTuple, overload

from meshext.actions import Respond
from meshext.engine.bounds import check_answer, check_message
from meshext.engine.carrier import Carrier
from meshext.engine.chain import BoundHook
from meshext.engine.current import CURRENT, Current
from meshext.engine.observer import Sighting
from meshext.engine.seat import Seat
from meshext.engine.watch import Watch
from meshext.errors import FilterFailure, HookNonsense, HookOverdue, HookRaised
from meshext.http.additions import Additions
from meshext.http.exchange import Exchange
from meshext.http.headers import Lines
from meshext.http.metadata import Json
from meshext.http.parts import RequestParts, ResponseParts
from meshext.http.request import Request
from meshext.http.response import Response
from meshext.needs import Hook

log = logging.getLogger("meshext.filter")

NO_ANSWER_IN = frozenset({Hook.ON_RESPONSE_TRAILERS, Hook.ON_COMPLETE})
PROTOCOL = "x-forwarded-proto"
Argument = Request[Any] | Response[Any] | Exchange[Any]


class Chunk(NamedTuple):
    """What a chunk hook is called with; `refusal` is why it can not return bytes, "" where it can."""

    data: bytes
    last: bool
    refusal: str = ""


class HookRunner:
    """Runs the hooks of one exchange and keeps the failures that happened.

    `opened` is the first filter whose failure was passed over by `failure = "open"`, "" for none.
    """

    __slots__ = ("carrier", "failures", "opened", "sighting", "watch")

    def __init__(self, watch: Watch, carrier: Carrier, sighting: Sighting | None = None) -> None:
        self.watch = watch
        self.carrier = carrier
        self.sighting = sighting
        self.failures: list[FilterFailure] = []
        self.opened = ""

    @overload
    async def run(self, seat: Seat, hook: Hook, argument: Argument) -> Respond | None: ...

    @overload
    async def run(
        self, seat: Seat, hook: Hook, argument: Argument, chunk: Chunk
    ) -> Respond | bytes | None: ...

    async def run(
        self, seat: Seat, hook: Hook, argument: Argument, chunk: Chunk | None = None
    ) -> Respond | bytes | None:
        """Call the hook and judge what it returned and wrote.

        Raises FilterFailure, logged and with everything the hook wrote taken back, unless the filter's
        policy is `open`: then a failure is as if the hook had not run.
        """
        before = take_snapshot(seat, argument)
        name, sighting = seat.mount.needs.name, self.sighting
        token = CURRENT.set(Current(seat.view.surroundings.request_id, name, hook))
        began = perf_counter() if sighting is not None else 0.0
        try:
            result = self._judge(hook, await self._call(seat, hook, argument, chunk), chunk)
            self._check_written(seat, argument, before)
            if sighting is not None:
                sighting.hook(name, hook, perf_counter() - began, None)
        except FilterFailure as failure:
            if sighting is not None:
                sighting.hook(name, hook, perf_counter() - began, failure)
            undo(seat, argument, before)
            if isinstance(failure, HookOverdue) and hook in seat.mount.asynchronous:
                seat.renew()  # it may go on running, and writing
            self._report(seat, hook, failure)
            if seat.mount.needs.failure == "open":
                self.opened = self.opened or name
                return None
            raise
        finally:
            CURRENT.reset(token)
        seat.publish()
        return result

    async def _call(self, seat: Seat, hook: Hook, argument: Argument, chunk: Chunk | None) -> object:
        mount = seat.mount
        method, limit = mount.hooks[hook], mount.needs.time_limit
        if chunk is not None:
            method = with_chunk(method, chunk)
        try:
            make_state = mount.make_state
            if make_state is not None and seat.request.state is None:
                seat.request.state = self.watch.call(lambda _: make_state(), None, limit)
            if hook in mount.asynchronous:
                return await self.watch.call_async(method, argument, limit)  # type: ignore[arg-type]  # a coroutine function
            return self.watch.call(method, argument, limit)
        except FilterFailure:
            raise
        except asyncio.CancelledError as error:
            if hook in mount.asynchronous:
                raise  # the exchange's own end, not the hook's
            raise HookRaised(describe(error)) from error
        except BaseException as error:  # a filter's SystemExit or KeyboardInterrupt is the filter's failure
            raise HookRaised(describe(error)) from error

    def _judge(self, hook: Hook, result: object, chunk: Chunk | None) -> Respond | bytes | None:
        if result is None:
            return None
        if chunk is not None and type(result) is bytes:
            if result and chunk.refusal:
                raise HookNonsense(f"it returned {len(result)} bytes, but {chunk.refusal}")
            return result
        if not issubclass(type(result), Respond):  # isinstance would ask the object itself
            if type(result) is CoroutineType and inspect.getcoroutinestate(result) == inspect.CORO_CREATED:
                result.close()
            wanted = "None or a Respond" if chunk is None else "None, bytes or a Respond"
            raise HookNonsense(f"it returned {show(result)}; return {wanted}")
        assert isinstance(result, Respond)
        if hook in NO_ANSWER_IN:
            raise HookNonsense("it returned a Respond, but the response has already begun")
        check_answer(result)
        self.carrier.check_respond(result)
        return result

    def _check_written(self, seat: Seat, argument: Argument, before: Before) -> None:
        if not isinstance(argument, Exchange) and argument.parts() is not before.parts:
            check_message(argument, seat.mount.needs)
            self.carrier.check_lines(argument.received, argument.headers.to_lines())
            if isinstance(argument, Request):
                check_routable(argument)
        additions = seat.additions
        if additions != before.additions:
            self.carrier.check_additions(additions)
        if seat.view.written is not before.written:
            self.carrier.check_metadata(seat.view.written)

    def _report(self, seat: Seat, hook: Hook, failure: FilterFailure) -> None:
        self.failures.append(failure)
        consequence = "passed untouched" if seat.mount.needs.failure == "open" else "refused"
        if hook is Hook.ON_COMPLETE:
            consequence = "the exchange had ended"
        log.error(
            "%s failed (%s), %s: %s",
            hook.value,
            failure.kind,
            consequence,
            failure,
            exc_info=failure.__cause__,
        )


def with_chunk(method: BoundHook, chunk: Chunk) -> BoundHook:
    """The hook as one that takes the message alone."""
    return lambda message: method(message, chunk.data, chunk.last)


def describe(error: BaseException) -> str:
    """`ValueError: text`; an exception whose text can not be had is named all the same."""
    try:
        text = str(error)
    except BaseException:
        text = "its text can not be had, for str() of it raises"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def show(result: object) -> str:
    """A result for the log; only of plain values the text, since a `repr` runs the filter's code."""
    kind = type(result)
    if kind in (bool, int, float, str, bytes):
        return f"{result!r:.200}"
    return "a coroutine" if kind is CoroutineType else f"an object of type {kind.__name__}"


def check_routable(request: Request[Any]) -> None:
    """Refuse to remove what Envoy finds no route without: it would answer 404 (measured on Envoy 1.40)."""
    if PROTOCOL not in request.headers and any(name == PROTOCOL for name, _ in request.received):
        raise HookNonsense(f"it removed {PROTOCOL!r}, without which Envoy finds no route; set it instead")


class Before(NamedTuple):
    """How everything was before a hook ran; each part is one immutable value, so keeping it costs nothing."""

    additions: Additions
    written: Mapping[str, Json]
    parts: RequestParts | ResponseParts | None
    trailers: Lines


def take_snapshot(seat: Seat, argument: Argument) -> Before:
    """What a hook may write to, as it is now."""
    if isinstance(argument, Exchange):
        return Before(seat.additions, seat.view.written, None, ())
    return Before(seat.additions, seat.view.written, argument.parts(), argument.trailer_lines())


def undo(seat: Seat, argument: Argument, before: Before) -> None:
    """Take back everything that a hook wrote."""
    seat.request.rewind_additions(before.additions)
    seat.view.written = before.written
    if before.parts is not None:
        argument.rewind(before.parts, before.trailers)  # type: ignore[union-attr, arg-type]  # its own parts, so not an Exchange
