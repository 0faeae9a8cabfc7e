"""The time limit of hooks in tests: ended as in a service on the main thread, told of elsewhere.

Time for which a thread could run and had no core is not the hook's: tests run on machines that do other
things, and a limit of 0.2 s is soon over there.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from meshext.engine.timed_watch import NEVER, TimedWatch

DEBUGGERS = ("bdb", "pdb", "pydevd", "pydevd_frame_evaluator", "_pydevd_bundle")


SCHEDULED = Path("/proc/thread-self/schedstat")
"""Nanoseconds on a core, then nanoseconds in a queue for one (sched-stats.rst of Linux)."""


def read_queued() -> float:
    """Seconds for which this thread has waited for a core so far; 0 where the system does not tell."""
    try:
        return int(SCHEDULED.read_bytes().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


GRACE = 3.0
"""How many times its limit a hook may have to wait for a core, so that all hooks end in the end."""


class Queueing:
    """The Marks of a running hook: when it is due, and how long it has waited for a core since it began."""

    def __init__(self, queued: Callable[[], float]) -> None:
        self._queued = queued
        self._before = 0.0
        self._most = 0.0
        self.due = NEVER

    def enter(self, due: float) -> None:
        """A hook begins."""
        self.due, self._before = due, self._queued()
        self._most = GRACE * max(due - time.monotonic(), 0.0)

    def leave(self) -> None:
        """No hook runs."""

    @property
    def waited(self) -> float:
        """Seconds, of those that count."""
        return min(max(self._queued() - self._before, 0.0), self._most)


class TestWatch(TimedWatch):
    """One for all harnesses of a process, since there is one timer signal; exchanges may overlap."""

    __test__ = False  # the name is no test's

    def __init__(self, *, queued: Callable[[], float] = read_queued) -> None:
        self._queueing = Queueing(queued)
        super().__init__(self._queueing)
        self._open = 0

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep time until the end of the block; whoever used the timer before has it back then."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._open += 1
        if self._open == 1:
            self.start()
        try:
            yield
        finally:
            self._open -= 1
            if self._open == 0:
                self.stop()

    def _on_tick(self, number: int, frame: FrameType | None) -> None:
        if is_debugging():
            return
        if self._due != NEVER:
            self._due = self._queueing.due + self._queueing.waited
        super()._on_tick(number, frame)

    def _check(self, due: float, limit: float, error: BaseException | None) -> None:
        super()._check(due + self._queueing.waited, limit, error)


def is_debugging() -> bool:
    """Whether a person steps through the hook: then it may take its time."""
    trace = sys.gettrace()
    return trace is not None and str(getattr(trace, "__module__", "")).partition(".")[0] in DEBUGGERS


WATCH = TestWatch()
