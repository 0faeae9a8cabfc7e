"""Every algorithm against a slow model that keeps all hits, and the arithmetic of `decide`."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext.limits import LONGEST, Algorithm, Limit, Outcome, State, decide, spent, to_micros
from tests.store.slow_models import MODELS, Hits

START = 1_767_225_600_000_003  # microseconds; not the beginning of any window tried here


@st.composite
def limits(draw: st.DrawFn) -> Limit:
    algorithm = draw(st.sampled_from(get_args(Algorithm)))
    burst = None
    if algorithm in ("token_bucket", "gcra"):
        burst = draw(st.none() | st.integers(1, 9))
    rate, micros = draw(st.integers(1, 9)), draw(st.integers(1, 40) | st.integers(1, 10**10))
    return Limit(key="k", algorithm=algorithm, rate=rate, window=micros / 1_000_000, burst=burst)


def costing(limit: Limit, cost: int) -> Limit:
    return replace(limit, cost=cost)


def hit(limit: Limit, states: dict[str, State], now: int) -> Outcome:
    """One hit, written back to `states`."""
    moved, (outcome,) = decide([limit], states, now)
    states.update(moved)
    return outcome


@st.composite
def histories(draw: st.DrawFn) -> tuple[Limit, list[tuple[int, int]]]:
    """A limit and hits (time, cost) whose steps in time are of the size of the window."""
    limit = draw(limits())
    window = limit.window_micros
    steps = draw(
        st.lists(
            st.tuples(st.just(0) | st.integers(0, window) | st.integers(0, 3 * window), st.integers(0, 4)),
            min_size=1,
            max_size=25,
        )
    )
    now, hits = START, []
    for step, cost in steps:
        now += step
        hits.append((now, cost))
    return limit, hits


@given(histories())
def test_admits_what_the_model_admits(history: tuple[Limit, list[tuple[int, int]]]) -> None:
    limit, wanted = history
    model, states, passed = MODELS[limit.algorithm], dict[str, State](), Hits()
    for now, cost in wanted:
        outcome = hit(costing(limit, cost), states, now)
        assert outcome.allowed == model(costing(limit, cost or 1), passed, now)
        if outcome.allowed and cost:
            passed.append((now, cost))
        assert outcome.remaining == 0 or model(costing(limit, outcome.remaining), passed, now)
        assert not model(costing(limit, outcome.remaining + 1), passed, now)


@given(histories())
def test_waits_are_exact_to_the_microsecond(history: tuple[Limit, list[tuple[int, int]]]) -> None:
    limit, wanted = history
    states = dict[str, State]()
    for now, cost in wanted:
        outcome = hit(costing(limit, cost), states, now)
        if cost > limit.capacity:
            assert (outcome.allowed, outcome.retry_after) == (False, math.inf)
        elif outcome.allowed:
            assert outcome.retry_after == 0.0
        else:
            free = now + to_micros(outcome.retry_after)
            assert hit(costing(limit, cost), dict(states), free).allowed
            assert not hit(costing(limit, cost), dict(states), free - 1).allowed
        whole = now + to_micros(outcome.reset_after)
        assert hit(costing(limit, 0), states, whole).remaining == limit.capacity
        if whole > now:
            assert hit(costing(limit, 0), states, whole - 1).remaining < limit.capacity


@given(histories(), st.integers(0, 10**14))
def test_a_clock_set_back_locks_nobody_out(history: tuple[Limit, list[tuple[int, int]]], back: int) -> None:
    limit, wanted = history
    states = dict[str, State]()
    for now, cost in wanted:
        hit(costing(limit, cost), states, now)
    outcome = hit(costing(limit, 1), states, wanted[-1][0] - back)
    fill = limit.most * limit.window_micros // limit.rate + 1
    assert outcome.reset_after * 1_000_000 <= max(3 * limit.window_micros, fill)


@given(histories())
def test_states_are_numbers_that_lua_holds_exactly(history: tuple[Limit, list[tuple[int, int]]]) -> None:
    limit, wanted = history
    states = dict[str, State]()
    for now, cost in wanted:
        hit(costing(limit, cost), states, now)
    for state in states.values():
        assert all(type(number) is int and 0 <= number < 2**53 for number in state)


def test_the_largest_limit_is_still_exact() -> None:
    limit = Limit(key="k", algorithm="gcra", rate=10**9, window=LONGEST, cost=10**9)
    states = dict[str, State]()
    assert hit(limit, states, START).allowed
    assert max(number for state in states.values() for number in state) < 2**53
    assert hit(limit, states, START).retry_after == LONGEST


def bucket(key: str, *, burst: int, cost: int = 1) -> Limit:
    return Limit(key=key, algorithm="token_bucket", rate=1, window=1, burst=burst, cost=cost)


def test_a_refusal_moves_no_counter_and_names_who_refused() -> None:
    states = dict[str, State]()
    moved, outcomes = decide([bucket("a", burst=3), bucket("b", burst=1, cost=2)], states, START)
    assert moved == {}
    assert [outcome.allowed for outcome in outcomes] == [True, False]
    assert [outcome.remaining for outcome in outcomes] == [3, 1]
    assert [outcome.retry_after for outcome in outcomes] == [0.0, math.inf]


def test_limits_of_one_identity_add_up() -> None:
    two = [bucket("a", burst=3), bucket("a", burst=3, cost=2)]
    moved, outcomes = decide(two, {}, START)
    assert [outcome.remaining for outcome in outcomes] == [0, 0]
    assert [outcome.limit for outcome in outcomes] == two
    _, again = decide(two, moved, START)
    assert [(outcome.allowed, outcome.retry_after) for outcome in again] == [(False, 3.0), (False, 3.0)]
    _, more = decide([bucket("a", burst=2), bucket("a", burst=2, cost=2)], {}, START)
    assert [outcome.retry_after for outcome in more] == [math.inf, math.inf]


@given(histories(), st.integers(1, 60), st.integers(0, 10**9))
def test_a_debt_is_paid_back_to_the_microsecond(
    history: tuple[Limit, list[tuple[int, int]]], cost: int, later: int
) -> None:
    """A forced hit on a fresh limit: nothing passes before what it took is there again."""
    limit, _ = history
    states = dict[str, State]()
    forced = hit(replace(limit, cost=cost, forced=True), states, START)
    assert (forced.allowed, forced.retry_after) == (True, 0.0)
    owed = min(cost, limit.most)
    assert forced.remaining == max(limit.capacity - owed, 0)
    now = START + later
    passes = hit(replace(limit, cost=0), dict(states), now).allowed
    if limit.algorithm in ("token_bucket", "gcra"):
        held = max(Fraction(owed) - Fraction(later * limit.rate, limit.window_micros), Fraction(0))
        assert passes == (held + 1 <= limit.capacity)
        assert to_micros(forced.reset_after) == -(-owed * limit.window_micros // limit.rate)
    else:
        assert passes == MODELS[limit.algorithm](limit, [(START, owed)], now)


def test_groups_are_all_or_nothing_each_on_its_own() -> None:
    first = [bucket("a", burst=3), bucket("b", burst=1, cost=2)]
    trial = [replace(bucket("c", burst=3), group=1), replace(bucket("d", burst=1), group=1)]
    moved, outcomes = decide([*first, *trial], {}, START)
    assert set(moved) == {limit.identity for limit in trial}
    assert [outcome.allowed for outcome in outcomes] == [True, False, True, True]
    assert [outcome.remaining for outcome in outcomes] == [3, 1, 2, 0]


@given(limits(), st.integers(1, 10**10), st.integers(0, 10**10))
def test_what_is_spent_takes_no_hit_before_its_time(limit: Limit, hold: int, at: int) -> None:
    """As long as a counter of that limit can be without a hit left."""
    taken = dict[str, State]()
    hit(replace(limit, cost=limit.capacity), taken, START)
    hold = min(hold, to_micros(hit(limit, taken, START).retry_after))
    state = {limit.identity: spent(limit, START + hold, START)}
    outcome = hit(limit, state, START + min(at, hold - 1))
    assert (outcome.allowed, outcome.remaining) == (False, 0)
    assert hit(limit, state, START + 3 * limit.window_micros).allowed


@given(limits(), st.text(max_size=3), st.integers(0, 10**12), st.booleans(), st.integers(0, 63))
def test_a_copy_for_another_key_and_cost_is_like_one_made_anew(
    limit: Limit, key: str, cost: int, forced: bool, group: int
) -> None:
    base = replace(limit, forced=forced, group=group)
    made, anew = base.counting(key, cost), replace(base, key=key, cost=cost)
    assert (made, repr(made), made.identity) == (anew, repr(anew), anew.identity)


@pytest.mark.parametrize(("key", "cost"), [(b"k", 1), ("k", -1), ("k", True), ("k", 1.5)])
def test_a_copy_is_checked_too(key: Any, cost: Any) -> None:
    with pytest.raises(ValueError, match=r"Limit (key|cost)"):
        bucket("a", burst=1).counting(key, cost)


def test_a_look_takes_nothing_and_is_decided_like_a_hit() -> None:
    moved, (fresh,) = decide([bucket("a", burst=1, cost=0)], {}, START)
    assert (moved, fresh.allowed, fresh.remaining) == ({}, True, 1)
    used, _ = decide([bucket("a", burst=1)], {}, START)
    _, (spent,) = decide([bucket("a", burst=1, cost=0)], used, START)
    assert (spent.allowed, spent.remaining, spent.retry_after) == (False, 0, 1.0)


def test_nothing_but_the_cost_is_left_out_of_the_identity() -> None:
    base: dict[str, Any] = {"key": "k", "algorithm": "gcra", "rate": 5, "window": 60.0, "burst": 5}
    others: list[dict[str, Any]] = [
        {"key": "k2"},
        {"algorithm": "token_bucket"},
        {"rate": 6},
        {"window": 61.0},
        {"burst": 6},
    ]
    identities = {Limit(**(base | other)).identity for other in [{}, *others]}
    assert len(identities) == 6
    assert Limit(**(base | {"cost": 3})).identity == Limit(**base).identity


@given(st.lists(st.tuples(limits(), st.text("1:5k", max_size=6)), min_size=2, max_size=2))
def test_identities_do_not_run_into_each_other(pair: list[tuple[Limit, str]]) -> None:
    one, two = (
        Limit(key=key, algorithm=limit.algorithm, rate=limit.rate, window=limit.window, burst=limit.burst)
        for limit, key in pair
    )
    same = (one.key, one.algorithm, one.rate, one.window_micros, one.capacity) == (
        two.key,
        two.algorithm,
        two.rate,
        two.window_micros,
        two.capacity,
    )
    assert (one.identity == two.identity) == same


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"key": b"k"}, "key b'k' is not text; write a str"),
        ({"algorithm": "leaky"}, "'leaky' is unknown; write one of fixed_window"),
        ({"rate": 0}, "rate 0: write a whole number from 1"),
        ({"rate": True}, "rate True"),
        ({"rate": 1.5}, "rate 1.5"),
        ({"cost": -1}, "cost -1: write a whole number of at least 0"),
        ({"burst": 0}, "burst 0"),
        ({"algorithm": "fixed_window", "burst": 2}, "burst 2 has no meaning for fixed_window; leave it out"),
        ({"forced": 1}, "forced 1: write True or False"),
        ({"group": 64}, "group 64: write a whole number from 0 to 63"),
        ({"window": 0}, "window 0: write a number of seconds above 0"),
        ({"window": math.nan}, "window nan"),
        ({"window": math.inf}, "window inf"),
        ({"window": "1m"}, "window '1m'"),
        ({"window": 1e-7}, "below one microsecond"),
        ({"window": LONGEST, "burst": 6}, "burst 6 needs more than"),
    ],
)
def test_what_is_no_limit_is_refused(wrong: dict[str, Any], text: str) -> None:
    fields: dict[str, Any] = {"key": "k", "algorithm": "gcra", "rate": 5, "window": 60}
    with pytest.raises(ValueError, match="Limit ") as refused:
        Limit(**(fields | wrong))
    assert text in str(refused.value)
