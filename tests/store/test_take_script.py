"""Limits in Redis are decided in Lua, whose numbers are doubles: to the last digit as `decide` does."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from meshext.errors import StoreError
from meshext.limits import LARGEST, LONGEST, Algorithm, Limit, State, decide
from meshext.stores.redis_store import limit_name
from tests.store.places import InRedis
from tests.store.redis_server import RedisServer

START = 1_767_225_600_000_003  # microseconds; not the beginning of any window tried here
LATEST = 2**52  # microseconds; in the year 2112
SIZES = st.integers(1, 9) | st.integers(1, 10**6) | st.integers(LARGEST - 9, LARGEST)
WIDTHS = st.integers(1, 40) | st.integers(1, 10**10) | st.integers(LONGEST * 10**6 - 99, LONGEST * 10**6)


@st.composite
def limits(draw: st.DrawFn) -> Limit:
    algorithm = draw(st.sampled_from(get_args(Algorithm)))
    rate, width, burst = draw(SIZES), draw(WIDTHS), None
    if algorithm in ("token_bucket", "gcra"):
        most = LONGEST * 10**6 * rate // width  # what refills within the longest time
        burst = draw(st.none() | st.integers(1, min(most, LARGEST)))
    return Limit(
        key=draw(st.sampled_from("ab")), algorithm=algorithm, rate=rate, window=width / 10**6, burst=burst
    )


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, list[tuple[Limit, int]]]]:
    """Times, and at each some hits on a few limits, with costs and steps of the limits' own sizes.

    Some are forced; each limit stays in its group.
    """
    known = draw(st.lists(limits(), min_size=1, max_size=3))
    now, history = START, []
    for _ in range(draw(st.integers(1, 12))):
        limit = draw(st.sampled_from(known))
        now += draw(
            st.sampled_from([0, 1, limit.window_micros // limit.rate])
            | st.integers(0, 2 * limit.window_micros)
            | st.integers(-limit.window_micros, 0)
        )
        hits = draw(st.lists(st.sampled_from(known), min_size=1, max_size=4))
        forced = [replace(each, forced=draw(st.booleans()), group=len(each.identity) % 2) for each in hits]
        history.append((min(max(now, 0), LATEST), [(each, draw(costs(each))) for each in forced]))
    return history


def costs(limit: Limit) -> st.SearchStrategy[int]:
    return (
        st.integers(0, 3) | st.integers(0, limit.capacity + 1) | st.integers(0, limit.most) | st.just(10**30)
    )


@pytest.fixture(scope="module")
def store(redis_server: RedisServer) -> Iterator[InRedis]:
    place = InRedis(redis_server)
    with place:
        yield place


def same(store: InRedis, history: list[tuple[int, list[tuple[Limit, int]]]]) -> None:
    """The store gives the same outcomes as `decide` over counters that are never forgotten."""
    store.server.ask("FLUSHALL")
    states: dict[str, State] = {}
    for now, hits in history:
        wanted = [costing(limit, cost) for limit, cost in hits]
        moved, outcomes = decide(wanted, states, now)
        store.clock.seconds = now / 10**6
        assert store.run(store.store.take(wanted)) == outcomes
        states.update(moved)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories())
def test_decides_as_decide_does(store: InRedis, history: list[tuple[int, list[tuple[Limit, int]]]]) -> None:
    same(store, history)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(LARGEST // 2, LARGEST), st.integers(LONGEST * 10**5, LONGEST * 10**6), st.integers(-1, 1))
def test_products_beyond_doubles_are_compared_exactly(
    store: InRedis, before: int, width: int, rest: int
) -> None:
    """In the second window `before * overlap` is `room * width + rest`, both far above 2**53."""
    assume(math.gcd(before, width) == 1)
    overlap = pow(before, -1, width) * rest % width
    room = (before * overlap - rest) // width
    limit = Limit(key="a", algorithm="sliding_window", rate=LARGEST, window=width / 10**6)
    begin = START - START % width
    assume(overlap > 0 and begin + 2 * width <= LATEST)
    same(store, [(begin, [(limit, before)]), (begin + 2 * width - overlap, [(limit, LARGEST - room)])])


def test_a_clock_set_back_stays_in_the_window_it_was_in(store: InRedis) -> None:
    limit = Limit(key="a", algorithm="sliding_window", rate=10, window=60)
    begin = START - START % limit.window_micros
    times = [(begin, 5), (begin + 60_000_000, 1), (begin + 30_000_000, 4), (begin - 1, 4), (begin - 1, 9)]
    same(store, [(now, [(limit, cost)]) for now, cost in times])


def test_a_counter_that_is_none_begins_anew_or_is_refused(store: InRedis) -> None:
    limit = Limit(key="3:f}g:a", algorithm="gcra", rate=5, window=60)
    name = limit_name(limit).decode()
    assert name == "meshext:limit:{fg}:gcra:5:60000000:5:3:f}g:a"
    store.server.ask("SET", name, "nonsense")
    assert store.run(store.store.take([limit]))[0].remaining == 4
    store.server.ask("DEL", name)
    store.server.ask("LPUSH", name, "x")
    with pytest.raises(StoreError, match="WRONGTYPE"):
        store.run(store.store.take([limit]))


def costing(limit: Limit, cost: int) -> Limit:
    return replace(limit, cost=cost)
