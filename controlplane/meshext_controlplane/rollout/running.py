"""The loop: look, decide, shift. What it knows stands in the VirtualService, so it can go on anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from meshext_controlplane.rollout.course import Course
from meshext_controlplane.rollout.errors import RolloutError, SightError
from meshext_controlplane.rollout.judging import Readings
from meshext_controlplane.rollout.pilot import Move, Order, Pilot, Standing
from meshext_controlplane.rollout.shifting import Shifting, Versions


class Mesh(Protocol):
    """Where the VirtualService is kept."""

    def read(self) -> Shifting:
        """As it is served now."""

    def write(self, shifting: Shifting) -> None:
        """Put it in force; RolloutError where it is refused."""


Look = Callable[[Versions, float], Readings]
"""What versions did in the last so many seconds; SightError where nobody can say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One turn of the loop: what was seen (None where nothing was), and what follows."""

    at: float
    standing: Standing
    readings: Readings | None
    order: Order


@dataclass(slots=True)
class Rollout:
    """One rollout, from where it stands. `clock` is in seconds since 1970."""

    mesh: Mesh
    look: Look
    course: Course
    clock: Callable[[], float]

    def begin(self) -> tuple[Pilot, bool]:
        """The pilot of what is under way, and True; or of the first step, which is in force then."""
        shifting, now = self.mesh.read(), self._now()
        standing = shifting.standing()
        if standing is not None:
            check_weight(shifting, standing)
            return Pilot(self.course, standing, now), True
        first = Standing(weight=self.course.steps[0], since=now)
        self.mesh.write(shifting.at(first))
        return Pilot(self.course, first, now), False

    def turns(self, pilot: Pilot) -> Iterator[Sight]:
        """Look and decide, once for each turn; the last one is DONE or BACK and in force when it is given."""
        while True:
            sight = self._turn(pilot)
            yield sight
            if sight.order.move in (Move.DONE, Move.BACK):
                return

    def _turn(self, pilot: Pilot) -> Sight:
        shifting, standing = self.mesh.read(), pilot.standing
        if shifting.standing() != standing:
            raise RolloutError("somebody else has ended or moved this rollout; see `meshext get`")
        check_weight(shifting, standing)
        readings, order = self._decide(pilot, shifting.versions)
        now = self._now()
        if order.move is Move.FORWARD:
            pilot.follow(order, now)
            self.mesh.write(shifting.at(pilot.standing))
        elif order.move is not Move.HOLD:
            self.mesh.write(shifting.ended(order.weight))
        return Sight(at=now, standing=standing, readings=readings, order=order)

    def _decide(self, pilot: Pilot, versions: Versions) -> tuple[Readings | None, Order]:
        now = self._now()
        try:
            readings = self.look(versions, now - pilot.standing.since)
        except SightError as error:
            return None, pilot.miss(str(error), self._now())
        return readings, pilot.see(readings, now)

    def _now(self) -> float:
        """To the millisecond, as it is written in the VirtualService."""
        return round(self.clock(), 3)


def check_weight(shifting: Shifting, standing: Standing) -> None:
    """RolloutError where a person has changed the weights meanwhile: that is not undone."""
    if (found := shifting.weight()) != standing.weight:
        told = f"the canary's weight is {found}% by hand, where the rollout left {standing.weight}%"
        raise RolloutError(f"{told}; end it with --abort or --promote")
