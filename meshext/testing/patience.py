"""The time limit of hooks in tests: ended as in a service on the main thread, told of elsewhere."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from meshext.engine.timed_watch import TimedWatch

DEBUGGERS = ("bdb", "pdb", "pydevd", "pydevd_frame_evaluator", "_pydevd_bundle")


class TestWatch(TimedWatch):
    """One for all harnesses of a process, since there is one timer signal; exchanges may overlap."""

    __test__ = False  # the name is no test's

    def __init__(self) -> None:
        super().__init__()
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
        if not is_debugging():
            super()._on_tick(number, frame)


def is_debugging() -> bool:
    """Whether a person steps through the hook: then it may take its time."""
    trace = sys.gettrace()
    return trace is not None and str(getattr(trace, "__module__", "")).partition(".")[0] in DEBUGGERS


WATCH = TestWatch()
