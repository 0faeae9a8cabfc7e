"""What a rollout does next: a state machine without clock and network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from meshext_controlplane.rollout.course import WHOLE, Course
from meshext_controlplane.rollout.judging import Readings, Verdict, Word, judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a rollout is: the canary's weight in per cent, and since when (seconds since 1970)."""

    weight: int
    since: float


class Move(StrEnum):
    """What to do."""

    HOLD = "hold"
    FORWARD = "forward"
    DONE = "done"
    BACK = "back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to do, the canary's weight from then on, and why."""

    move: Move
    weight: int
    reason: str


@dataclass(slots=True)
class Pilot:
    """One rollout. It keeps what the stable version did last, for the time when the canary has everything."""

    course: Course
    standing: Standing
    seen: float
    """When there was a reading last."""
    baseline: Readings | None = None

    def see(self, readings: Readings, now: float) -> Order:
        """With a reading of the time since the step began."""
        self.seen = now
        bounds = self.course.bounds
        if readings.stable.requests >= bounds.least:
            self.baseline = readings
        elif self.baseline is not None:
            readings = replace(readings, stable=self.baseline.stable)
        return self._decide(judge(readings, bounds), now)

    def miss(self, reason: str, now: float) -> Order:
        """Without one: what nobody sees goes on for a while only."""
        blind = now - self.seen
        if blind >= self.course.patience:
            return self._order(Move.BACK, 0, f"nothing seen for {blind:.0f} s: {reason}")
        return self._order(Move.HOLD, self.standing.weight, reason)

    def follow(self, order: Order, now: float) -> None:
        """The weight is in force."""
        if order.move is Move.FORWARD:
            self.standing = Standing(weight=order.weight, since=now)
            self.seen = now

    def _decide(self, verdict: Verdict, now: float) -> Order:
        weight, held = self.standing.weight, now - self.standing.since
        if verdict.word is Word.BAD:
            return self._order(Move.BACK, 0, verdict.reason)
        if verdict.word is Word.GOOD and held >= self.course.hold:
            if weight >= WHOLE:
                return self._order(Move.DONE, WHOLE, verdict.reason)
            return self._order(Move.FORWARD, next_step(self.course, weight), verdict.reason)
        if held >= self.course.limit:
            return self._order(Move.BACK, 0, f"not proved within {self.course.limit:.0f} s: {verdict.reason}")
        return self._order(Move.HOLD, weight, verdict.reason)

    def _order(self, move: Move, weight: int, reason: str) -> Order:
        return Order(move=move, weight=weight, reason=reason)


def next_step(course: Course, weight: int) -> int:
    """The first step above a weight."""
    return next(step for step in (*course.steps, WHOLE) if step > weight)
