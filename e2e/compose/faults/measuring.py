"""One fault measured: its load, its moments, what it cost, and whether that is within its bound."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from e2e.compose.faults.bounds import BOUNDS, Measured, find_breaches, format_rows, to_row
from e2e.compose.faults.flow import Flow, Requests, flow
from e2e.compose.faults.timeline import Timeline
from e2e.compose.project import Project
from e2e.compose.waiting import wait_for

NOTICED = 1.0
"""Seconds from a fault until nothing may be let through any more that has to be refused."""

MORE = 30.0
"""Seconds beyond its bound that a fault is waited for: then there is a figure of how long it took."""

RESULTS: list[Measured] = []
"""What this run has measured, for the table at its end."""


class Fault:
    """A fault under way, and its moments by `time.monotonic`: when it broke, when somebody mended it."""

    def __init__(self, name: str, flows: Sequence[Flow]) -> None:
        self.bound = BOUNDS[name]
        self._flows = flows
        self._broken = time.monotonic()
        self._mended: float | None = None
        self._others = 0.0

    def breaks(self) -> None:
        """It is about to break."""
        self._broken = time.monotonic()

    def mends(self) -> None:
        """Somebody is about to mend it."""
        self._mended = time.monotonic()

    def also_took(self, seconds: float) -> None:
        """Something else than requests had to recover, and took so long."""
        self._others = max(self._others, seconds)

    @property
    def seconds(self) -> float:
        """For how long each load has had answers since it broke: their time, not only ours."""
        ends = [max((call.ended for call in each.timeline.calls), default=0.0) for each in self._flows]
        return max(0.0, min(ends) - self._broken)

    @property
    def is_failing(self) -> bool:
        """Whether the newest requests since it broke have all failed, so many that it is no chance."""
        return all(each.timeline.is_failing(self._broken) for each in self._flows)

    def wait_over(self) -> None:
        """Wait until requests from now on go well; AssertionError names the fault where they do not."""
        now = time.monotonic()
        wait_for(
            f"{self.bound.fault}: requests go well",
            lambda: all(each.timeline.is_settled(now) for each in self._flows),
            patience=self.bound.seconds + MORE,
        )

    @property
    def timeline(self) -> Timeline:
        """The requests of all loads."""
        return Timeline.merged(each.timeline for each in self._flows)

    def measure(self) -> Measured:
        """What it has cost, once every request is known."""
        timeline = self.timeline
        return Measured(
            self.bound.fault,
            len(timeline.calls),
            len(timeline.failures),
            max(self._others, self._recovered(timeline)),
            timeline.slowest,
            self._count_let_through(timeline),
        )

    @property
    def history(self) -> str:
        """What failed when, in seconds since it broke, and when it was mended."""
        mended = "" if self._mended is None else f"; mended at {self._mended - self._broken:+.1f} s"
        return (self.timeline.history(self._broken) or "nothing failed") + mended

    def _recovered(self, timeline: Timeline) -> float:
        """The longer one of both ways: from the fault, where nobody has to mend it, and from the cure."""
        found = timeline.recovered(self._mended or self._broken)
        assert found is not None, f"{self.bound.fault}: nothing went well after it"
        if self._mended is None or self.bound.failed is None:
            return found
        return max(found, timeline.due_between(self._broken, self._mended).recovered(self._broken) or 0.0)

    def _count_let_through(self, timeline: Timeline) -> int:
        if self.bound.failed is not None or self._mended is None:
            return 0
        while_broken = timeline.due_between(self._broken + NOTICED, self._mended)
        ended = [each for each in while_broken.calls if each.ended < self._mended]
        return sum(each.kind in timeline.good for each in ended)


@contextmanager
def measured(project: Project, name: str, *requests: Requests) -> Iterator[Fault]:
    """A fault under load, which the block breaks and mends; its line is printed, its bound held."""
    with ExitStack() as stack:
        fault = Fault(name, [stack.enter_context(flow(project, each)) for each in requests])
        yield fault
        fault.wait_over()
    found = fault.measure()
    RESULTS.append(found)
    sys.stdout.write("\n" + "\n".join(format_rows([to_row(found)])) + f"\n{fault.history}\n")
    breaches = "; ".join(find_breaches(fault.bound, found))
    assert not breaches, f"{name}: {breaches} ({fault.history})"
