"""The loop, over a VirtualService in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from meshext_controlplane.rollout.course import Course
from meshext_controlplane.rollout.errors import RolloutError, SightError
from meshext_controlplane.rollout.judging import Reading, Readings
from meshext_controlplane.rollout.pilot import Move
from meshext_controlplane.rollout.running import Rollout
from meshext_controlplane.rollout.shifting import Shifting, Versions, read_shifting
from tests.controlplane.rollout.test_shifting import TEXT

FINE = Readings(stable=Reading(requests=100), canary=Reading(requests=100))
COURSE = Course(steps=(10, 100), hold=10, patience=30)


@dataclass
class Kept:
    """A mesh of one document; each look at the clock is ten seconds later."""

    text: str = TEXT.replace('"1e3"', "me")
    now: float = 0.0
    blind: bool = False
    weights: list[int] = field(default_factory=list)

    def read(self) -> Shifting:
        return read_shifting(self.text, canary="v2")

    def write(self, shifting: Shifting) -> None:
        self.text = shifting.to_text()
        self.weights.append(shifting.weight())

    def clock(self) -> float:
        self.now += 10.0
        return self.now

    def look(self, _: Versions, __: float) -> Readings:
        if self.blind:
            raise SightError("no answer")
        return FINE

    def rollout(self) -> Rollout:
        return Rollout(mesh=self, look=self.look, course=COURSE, clock=self.clock)


def test_to_the_end() -> None:
    kept = Kept()
    rollout = kept.rollout()
    pilot, resumed = rollout.begin()
    *_, last = rollout.turns(pilot)
    assert (resumed, last.order.move, kept.weights) == (False, Move.DONE, [10, 100, 100])
    assert kept.read().standing() is None


def test_another_process_goes_on() -> None:
    kept = Kept()
    first, _ = kept.rollout().begin()
    second, resumed = kept.rollout().begin()
    assert (resumed, second.standing, kept.weights) == (True, first.standing, [10])


def test_what_nobody_sees_goes_back() -> None:
    kept = Kept()
    pilot, _ = kept.rollout().begin()
    kept.blind = True
    *_, last = kept.rollout().turns(pilot)
    assert (last.readings, last.order.move, kept.weights) == (None, Move.BACK, [10, 0])


def test_what_a_person_did_is_not_undone() -> None:
    kept = Kept()
    rollout = kept.rollout()
    pilot, _ = rollout.begin()
    kept.text = kept.text.replace("weight: 10\n", "weight: 0\n").replace("weight: 90\n", "weight: 100\n")
    for again in (lambda: next(rollout.turns(pilot)), rollout.begin):
        with pytest.raises(RolloutError, match="0% by hand"):
            again()
    kept.write(kept.read().ended(0))
    with pytest.raises(RolloutError, match="somebody else"):
        next(rollout.turns(pilot))
