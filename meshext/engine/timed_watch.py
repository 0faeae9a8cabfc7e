"""Time limits for hooks on the event loop's own thread.

A timer signal comes when the running hook is due, and from then on every `TICK` seconds, and raises in it:
that ends loops, sleeps, locks and catastrophic regexes, which a thread pool can not. A timer that finds
another hook than the one it was set for is set again for that one, so many short hooks cost few signals. A
hook that swallows the exception, or sits in C code where no signal handler runs, needs somebody outside of
the process, who is told through `Marks` when the running hook is due.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from types import FrameType
from typing import Any, Protocol

from meshext.errors import HookOverdue, HookRaised

TICK = 0.01  # seconds
LEAST = 0.0001  # seconds; 0 would end the timer
NEVER = float("inf")
NOTHING_TO_SET = -NEVER


class _Overdue(BaseException):
    """Raised inside an overdue hook; not an Exception, so that `except Exception` lets it through."""


class Marks(Protocol):
    """Who is told, beside the watch itself, when the running hook is due."""

    def enter(self, due: float) -> None:
        """A hook begins that is due at that (monotonic) time."""

    def leave(self) -> None:
        """No hook runs."""


class NoMarks:
    """Tells nobody."""

    def enter(self, due: float) -> None:
        """A hook begins."""

    def leave(self) -> None:
        """No hook runs."""


class TimedWatch:
    """The Watch that ends hooks between `start` and `stop`; outside of them it only tells of late ones."""

    def __init__(self, marks: Marks | None = None) -> None:
        self._due = NEVER
        self._raised = False
        self._collecting = False
        self._fires = NOTHING_TO_SET  # when the timer does; outside of `start` and `stop` there is none
        self._abandoned: set[asyncio.Task[Any]] = set()
        self._marks: Marks = marks or NoMarks()
        self._handler: Any = None
        self._timer = (0.0, 0.0)
        self._started = 0.0

    def start(self) -> None:
        """Begin to keep time; only the main thread may."""
        assert threading.current_thread() is threading.main_thread()
        gc.callbacks.insert(0, self._on_collection)
        self._handler = signal.signal(signal.SIGALRM, self._on_tick)
        self._timer = signal.setitimer(signal.ITIMER_REAL, 0)
        self._fires = NEVER
        self._started = time.monotonic()

    def stop(self) -> None:
        """Keep no time any more; whoever used the timer before has it back, with what is left on it."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._handler or signal.SIG_DFL)
        self._fires = NOTHING_TO_SET
        gc.callbacks.remove(self._on_collection)
        left, interval = self._timer
        if left:
            signal.setitimer(
                signal.ITIMER_REAL, max(left - (time.monotonic() - self._started), TICK), interval
            )

    def call(self, hook: Callable[[Any], object], argument: object, limit: float) -> object:
        """Call a plain hook; HookOverdue where it ran past the limit, even if it swallowed the exception."""
        due = time.monotonic() + limit
        marks = self._marks
        try:  # `_enter` and `_leave` by hand: each call would count, here more than anywhere
            marks.enter(due)
            self._raised = False
            self._due = due
            if due < self._fires:
                self._set_timer(due)
            result = hook(argument)
            self._due = NEVER
            marks.leave()
        except BaseException as error:
            self._leave()
            self._check(due, limit, error)
            raise
        if self._raised or time.monotonic() > due + TICK:
            self._check(due, limit, None)
        return result

    async def call_async(
        self, hook: Callable[[Any], Awaitable[object]], argument: object, limit: float
    ) -> object:
        """Call an async hook in a task of its own; what does not end by its limit is cancelled and left."""
        due = time.monotonic() + limit
        task = asyncio.ensure_future(_stepwise(self, hook(argument), due))
        try:
            done, _ = await asyncio.wait({task}, timeout=limit)
        except asyncio.CancelledError:
            self._abandon(task)
            raise
        if not done:
            self._abandon(task)
            raise HookOverdue(f"it ran past its time limit of {limit:g} s")
        if task.cancelled():
            raise HookRaised("CancelledError: it cancelled itself")
        result, error = task.result()
        if isinstance(error, _Overdue):
            raise HookOverdue(f"it ran past its time limit of {limit:g} s") from error
        if error is not None:
            raise error
        return result

    def _abandon(self, task: asyncio.Task[Any]) -> None:
        task.cancel()
        self._abandoned.add(task)  # the loop itself keeps no task alive
        task.add_done_callback(self._abandoned.discard)

    def _enter(self, due: float) -> None:
        self._marks.enter(due)
        self._raised = False
        self._due = due
        if due < self._fires:
            self._set_timer(due)

    def _set_timer(self, due: float) -> None:
        # After `_due` is set: a signal in between would find no hook and end the timer.
        self._fires = due
        signal.setitimer(signal.ITIMER_REAL, max(due - time.monotonic(), LEAST), TICK)

    def _leave(self) -> None:
        self._due = NEVER
        self._marks.leave()

    def _on_collection(self, phase: str, _info: dict[str, int]) -> None:
        self._collecting = phase == "start"

    def _on_tick(self, _signal: int, frame: FrameType | None) -> None:
        if self._due == NEVER:
            signal.setitimer(signal.ITIMER_REAL, 0)  # an idle service costs nothing
            self._fires = NEVER
            return
        if time.monotonic() <= self._due:
            self._set_timer(self._due)
            return
        if not _inside_hook(frame):
            self._leave()  # a hook's end was interrupted; the event loop must never be
        elif not self._collecting and not _is_swallowed(frame):
            self._raised = True
            raise _Overdue

    def _check(self, due: float, limit: float, error: BaseException | None) -> None:
        if self._raised or time.monotonic() > due + TICK:
            raise HookOverdue(f"it ran past its time limit of {limit:g} s") from error


def _inside_hook(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code in _CALLERS:
            return True
        frame = frame.f_back
    return False


def _is_swallowed(frame: FrameType | None) -> bool:
    """Whether Python would only print what is raised here (sys.unraisablehook in the library reference).

    So it is in finalizers, in the collector's callbacks and in those of weak references; the next tick
    finds the hook itself.
    """
    callbacks = {getattr(callback, "__code__", None) for callback in gc.callbacks}
    while frame is not None and frame.f_code not in _CALLERS:
        code = frame.f_code
        if code.co_name == "__del__" or code in callbacks or frame.f_globals.get("__name__") in _WEAK:
            return True
        frame = frame.f_back
    return False


async def _stepwise(
    watch: TimedWatch, coroutine: Awaitable[object], due: float
) -> tuple[object, BaseException | None]:
    """What the coroutine returned or raised, with time kept while it runs and not while it waits.

    An exception is handed over as a value: a task that raises SystemExit or KeyboardInterrupt takes the
    event loop along.
    """
    try:
        return await _Stepped(watch, coroutine, due), None
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        return None, error


class _Stepped:
    def __init__(self, watch: TimedWatch, awaitable: Awaitable[object], due: float) -> None:
        self._watch = watch
        self._iterator: Any = awaitable.__await__()
        self._due = due

    def __await__(self) -> Generator[Any, Any, object]:
        step = partial(self._iterator.send, None)
        while True:
            try:
                # An abandoned hook tidies up behind its time: each of its steps has a tick for that.
                self._watch._enter(max(self._due, time.monotonic() + TICK))
                waits_for = step()
                self._watch._leave()
            except StopIteration as stop:
                self._watch._leave()
                if self._watch._raised:
                    raise _Overdue from None
                return stop.value
            except BaseException as error:
                self._watch._leave()
                if self._watch._raised:
                    raise _Overdue from error
                raise
            try:
                step = partial(self._iterator.send, (yield waits_for))
            except BaseException as error:
                step = partial(self._iterator.throw, error)


_WEAK = ("_weakrefset", "weakref")
_CALLERS = frozenset({TimedWatch.call.__code__, _Stepped.__await__.__code__})
