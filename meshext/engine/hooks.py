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
from meshext.engine.bounds import MOST_LINES, check_answer, check_parts, size_written
from meshext.engine.carrier import Carrier
from meshext.engine.chain import BoundHook
from meshext.engine.current import CURRENT
from meshext.engine.observer import Sighting
from meshext.engine.seat import Seat
from meshext.engine.watch import Watch
from meshext.errors import FilterFailure, HookNonsense, HookOverdue, HookRaised, StoreUnavailable
from meshext.http.additions import Additions
from meshext.http.exchange import Exchange
from meshext.http.headers import Lines
from meshext.http.metadata import Json
from meshext.http.parts import (
    NO_CHANGE,
    HeaderChange,
    RequestParts,
    ResponseParts,
    header_change,
    request_change,
    response_change,
)
from meshext.http.request import Request
from meshext.http.response import Response
from meshext.needs import Hook

log = logging.getLogger("meshext.filter")

NO_ANSWER_IN = frozenset({Hook.ON_RESPONSE_TRAILERS, Hook.ON_COMPLETE})
PROTOCOL = "x-forwarded-proto"
UNSEEN_ADDITION = (
    "it put headers on the response in a way that its code does not show, so Envoy was not asked for the "
    "response; write request.response_headers in the hook itself"
)
Argument = Request[Any] | Response[Any] | Exchange[Any]
AnyBefore = tuple[Additions, Mapping[str, Json], RequestParts | ResponseParts, Lines]
"""`Before` of either message."""


class Chunk(NamedTuple):
    """What a chunk hook is called with; `refusal` is why it can not return bytes, "" where it can."""

    data: bytes
    last: bool
    refusal: str = ""


class HookRunner:
    """Runs the hooks of one exchange and keeps the failures that happened.

    `opened` is the first filter whose failure was passed over by `failure = "open"`, "" for none; `wrote`
    whether any hook wrote anything that stayed, `added` anything on the response, `published` metadata.
    `spare` is how many bytes hooks may still write to headers before theirs have to be counted; 0 once they
    have grown in another way.
    """

    __slots__ = (
        "_compared",
        "added",
        "carrier",
        "failures",
        "opened",
        "published",
        "sighting",
        "spare",
        "unasked",
        "watch",
        "wrote",
    )

    def __init__(self, watch: Watch, carrier: Carrier, sighting: Sighting | None = None) -> None:
        self.watch = watch
        self.carrier = carrier
        self.sighting = sighting
        self.failures: list[FilterFailure] = []
        self.opened = ""
        self.wrote = self.added = self.published = False
        self.unasked = False  # whether the request's headers left without asking for the response's
        self.spare = 0
        self._compared: tuple[object, object, HeaderChange] | None = None

    @overload
    async def run(self, seat: Seat, hook: Hook, argument: Argument) -> Respond | FilterFailure | None: ...

    @overload
    async def run(
        self, seat: Seat, hook: Hook, argument: Argument, chunk: Chunk
    ) -> Respond | bytes | FilterFailure | None: ...

    async def run(
        self, seat: Seat, hook: Hook, argument: Argument, chunk: Chunk | None = None
    ) -> Respond | bytes | FilterFailure | None:
        """Call the hook and judge what it returned and wrote.

        A failure is returned, logged and with everything the hook wrote taken back, unless the filter's
        policy is `open`: then it is as if the hook had not run.
        """
        before: AnyBefore = argument.snapshot()
        mount, sighting = seat.mount, self.sighting
        name = mount.needs.name
        token = CURRENT.set((seat.view.surroundings.request_id, name, hook))
        began = perf_counter() if sighting is not None else 0.0
        try:
            method = mount.hooks[hook] if chunk is None else with_chunk(mount.hooks[hook], chunk)
            if hook in mount.asynchronous:
                returned = await self._call_async(seat, method, argument)
            else:
                returned = self._call(seat, method, argument)
            result = None if returned is None else self._judge(hook, returned, chunk)
            after: AnyBefore = argument.snapshot()
            # mostly an identity test; metadata by identity only, since 1 equals True
            if after[1] is not before[1] or after[0] != before[0] or after[2] != before[2]:
                self._check_written(seat, argument, before, after)
            if sighting is not None:
                sighting.hook(name, hook, perf_counter() - began, None)
        except FilterFailure as failure:
            if sighting is not None:
                sighting.hook(name, hook, perf_counter() - began, failure)
            argument.rewind(before)  # type: ignore[arg-type]  # its own, so with parts of its kind
            self._report(seat, hook, failure)
            return None if mount.needs.failure == "open" else failure
        finally:
            CURRENT.reset(token)
        if after[1] is not before[1]:
            seat.publish()
        return result

    def compare(self, before: Any, after: Any) -> HeaderChange:
        """What changed between two parts of a message. With one filter a hook's change is the chain's too."""
        if before is after:
            return NO_CHANGE
        known = self._compared
        if known is not None and known[0] is before and known[1] is after:
            return known[2]
        if before[1:] == after[1:]:  # as mostly: nothing but header lines
            change = header_change(before[0], after[0])
        else:
            find: Any = request_change if type(after) is RequestParts else response_change
            change = find(before, after)
        self._compared = before, after, change
        return change

    def _call(self, seat: Seat, method: BoundHook, argument: Argument) -> object:
        limit = seat.mount.needs.time_limit
        try:
            if seat.mount.make_state is not None:
                self._make_state(seat)
            return self.watch.call(method, argument, limit)
        except FilterFailure:
            raise
        except BaseException as error:  # a filter's SystemExit or KeyboardInterrupt is the filter's failure
            raise HookRaised(describe(error)) from error

    async def _call_async(self, seat: Seat, method: BoundHook, argument: Argument) -> object:
        limit = seat.mount.needs.time_limit
        try:
            if seat.mount.make_state is not None:
                self._make_state(seat)
            return await self.watch.call_async(method, argument, limit)  # type: ignore[arg-type]  # a coroutine function
        except (
            FilterFailure,
            asyncio.CancelledError,
        ):  # the latter is the exchange's own end, not the hook's
            raise
        except BaseException as error:  # as above
            raise HookRaised(describe(error)) from error

    def _make_state(self, seat: Seat) -> None:
        make_state = seat.mount.make_state
        if make_state is not None and seat.request.state is None:
            seat.request.state = self.watch.call(lambda _: make_state(), None, seat.mount.needs.time_limit)

    def _judge(self, hook: Hook, result: object, chunk: Chunk | None) -> Respond | bytes:
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

    def _check_written(self, seat: Seat, argument: Argument, before: AnyBefore, after: AnyBefore) -> None:
        had, had_written, was, _ = before
        additions, written, parts, _ = after
        if parts is not was:
            change = self.compare(was, parts)
            self.spare -= size_written(change)
            if self.spare < 0 or len(parts.lines) > MOST_LINES or parts.body is not None:
                check_parts(was.lines, parts, seat.mount.needs)
            self.carrier.check_change(change)
            if change.remove and isinstance(argument, Request):
                check_routable(change)
        if additions != had:
            if self.unasked and isinstance(argument, Request):
                raise HookNonsense(UNSEEN_ADDITION)
            self.carrier.check_additions(additions)
            self.added = True
        if written is not had_written:
            self.carrier.check_metadata(written)
            self.published = True
        self.wrote = True

    def _report(self, seat: Seat, hook: Hook, failure: FilterFailure) -> None:
        mount = seat.mount
        if isinstance(failure, HookOverdue) and hook in mount.asynchronous:
            seat.renew()  # it may go on running, and writing
        self.failures.append(failure)
        consequence = "refused"
        if mount.needs.failure == "open":
            self.opened = self.opened or mount.needs.name
            consequence = "passed untouched"
        if hook is Hook.ON_COMPLETE:
            consequence = "the exchange had ended"
        log.error(
            "%s failed (%s), %s: %s",
            hook.value,
            failure.kind,
            consequence,
            failure,
            exc_info=None if isinstance(failure.__cause__, StoreUnavailable) else failure.__cause__,
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


def check_routable(change: HeaderChange) -> None:
    """Refuse to remove what Envoy finds no route without: it would answer 404 (measured on Envoy 1.40)."""
    if PROTOCOL in change.remove:
        raise HookNonsense(f"it removed {PROTOCOL!r}, without which Envoy finds no route; set it instead")
