"""What a rollout does next, over all ways that its metrics can go."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from meshext_controlplane.rollout.course import Bounds, Course
from meshext_controlplane.rollout.judging import Reading, Readings
from meshext_controlplane.rollout.pilot import Move, Order, Pilot, Standing

COURSE = Course(steps=(10, 50, 100), hold=60, limit=600, patience=30, bounds=Bounds(least=50))
FINE = Readings(stable=Reading(requests=100, latency=0.1), canary=Reading(requests=100, latency=0.1))
WORSE = Readings(stable=FINE.stable, canary=Reading(requests=100, errors=50))
SLOW = Readings(stable=Reading(), canary=Reading(requests=100, latency=0.9))
FEW = Readings(stable=FINE.stable, canary=Reading(requests=5))


def pilot(weight: int = 10) -> Pilot:
    return Pilot(COURSE, Standing(weight=weight, since=0), 0)


def test_forward_when_it_was_good_for_long_enough() -> None:
    flying = pilot()
    assert flying.see(FINE, 59).move is Move.HOLD
    order = flying.see(FINE, 60)
    assert (order.move, order.weight) == (Move.FORWARD, 50)
    flying.follow(order, 60)
    assert flying.standing == Standing(weight=50, since=60)
    assert flying.see(FINE, 119).move is Move.HOLD


def test_done_when_it_has_everything_and_holds() -> None:
    assert pilot(100).see(FINE, 59).move is Move.HOLD
    assert pilot(100).see(FINE, 60).move is Move.DONE


def test_back_at_once_when_it_is_worse() -> None:
    order = pilot(50).see(WORSE, 1)
    assert (order.move, order.weight) == (Move.BACK, 0)


def test_back_when_it_is_not_proved_in_time() -> None:
    assert pilot().see(FEW, 599).move is Move.HOLD
    assert pilot().see(FEW, 600).move is Move.BACK


def test_back_when_nobody_sees_it_for_too_long() -> None:
    flying = pilot()
    flying.see(FINE, 10)
    assert flying.miss("no answer", 39).move is Move.HOLD
    assert flying.miss("no answer", 40).move is Move.BACK


def test_with_everything_it_is_compared_with_what_the_stable_version_did_last() -> None:
    flying = pilot(100)
    assert flying.see(SLOW, 1).move is Move.HOLD  # nobody knows what is slow
    flying.see(FINE, 2)
    assert flying.see(SLOW, 3).move is Move.BACK


@given(st.lists(st.sampled_from([FINE, WORSE, FEW, SLOW, None]), max_size=60), st.sampled_from([7, 61, 200]))
def test_weights_only_rise_until_an_end(seen: list[Readings | None], pause: int) -> None:
    flying, now, weights = pilot(), 0.0, [10]
    for readings in seen:
        now += pause
        order = see(flying, readings, now)
        assert (order.move is Move.FORWARD) == (order.weight > weights[-1])
        if order.move in (Move.BACK, Move.DONE):
            assert order.weight == (0 if order.move is Move.BACK else 100)
            return
        flying.follow(order, now)
        weights.append(order.weight)
        assert flying.standing.weight == order.weight
    assert set(weights) <= {10, 50, 100}


def see(flying: Pilot, readings: Readings | None, now: float) -> Order:
    return flying.miss("no answer", now) if readings is None else flying.see(readings, now)
