"""What is special about the store in memory: its bound, its clock; and namespaces."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshext.errors import StoreError
from meshext.lapsed import Lapsed
from meshext.limits import Algorithm, Limit, to_micros
from meshext.store import MemoryStore, NamespacedStore
from tests.store.places import Clock

T = TypeVar("T")


def run(call: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(call)


def window(key: str, *, rate: int = 1, cost: int = 1) -> Limit:
    return Limit(key=key, algorithm="fixed_window", rate=rate, window=60, cost=cost)


def test_a_flood_frees_neither_values_nor_who_is_over_the_limit() -> None:
    async def flood() -> None:
        store = MemoryStore(Clock(), max_entries=10)
        await store.set("session", b"1")
        await store.take([window("bad")])
        for number in range(1000):
            await store.take([window(f"flood{number}", rate=2)])
        (bad,) = await store.take([window("bad")])
        assert not bad.allowed
        assert await store.get("session") == b"1"

    run(flood())


def test_a_flood_of_callers_over_their_limits_frees_none_of_them() -> None:
    """A hundred times as many as there is room for, all of whom refuse; and nobody else is there to go."""

    async def flood() -> None:
        clock = Clock()
        store = MemoryStore(clock, max_entries=10)
        passed = [(await store.take([window(f"flood{number}")]))[0].allowed for number in range(1000)]
        assert passed.count(True) >= 980  # the others found their slot taken
        assert len(store._counters) == 10
        for number in range(1000):
            assert not (await store.take([window(f"flood{number}")]))[0].allowed
        clock.seconds += 60
        assert (await store.take([window("flood0")]))[0].allowed

    run(flood())


HITS = st.lists(
    st.tuples(
        st.sampled_from("abcde"),
        st.integers(0, 3),
        st.booleans(),
        st.sampled_from([0.0, 0.0, 0.0, 0.5, 7.0, 30.0, 61.0]),
    ),
    max_size=60,
)


@settings(max_examples=200)
@given(HITS, st.sampled_from(get_args(Algorithm)), st.integers(1, 3), st.integers(1, 3), st.integers(1, 4))
def test_whoever_is_over_the_limit_stays_so_for_as_long_as_was_said(
    hits: list[tuple[str, int, bool, float]], algorithm: Algorithm, rate: int, entries: int, slots: int
) -> None:
    """Whatever has to be forgotten meanwhile, in a store without room and with few slots.

    What a slot says in place of a forgotten counter is no more than "not yet", and may end earlier.
    """

    async def check() -> None:
        clock = Clock()
        store = MemoryStore(clock, max_entries=entries)
        store._lapsed = Lapsed(slots)
        store._counters._on_lost = store._lapsed.add
        refused: dict[tuple[str, int], float] = {}  # limit and cost: until when
        for key, cost, forced, wait in hits:
            clock.seconds += wait
            limit = Limit(key=key, algorithm=algorithm, rate=rate, window=60, cost=cost, forced=forced)
            (outcome,) = await store.take([limit])
            if not forced:
                bound = max(refused.get((limit.identity, least), 0.0) for least in range(1, max(cost, 1) + 1))
                assert not (outcome.allowed and clock.seconds < bound - 1e-6)
            (look,) = await store.take([replace(limit, cost=0, forced=False)])
            for said, asked in ((outcome, max(cost, 1)), (look, 1)):
                own = store._counters.get(limit.identity, to_micros(clock.seconds)) is not None
                if own and math.isfinite(said.retry_after) and not said.allowed:
                    place = (limit.identity, asked)
                    refused[place] = max(refused.get(place, 0.0), clock.seconds + said.retry_after)
            assert len(store._counters) <= entries

    run(check())


def test_namespaces_hide_their_prefix() -> None:
    limit = window("a")
    (outcome,) = run(NamespacedStore(MemoryStore(), "f").take([limit]))
    assert outcome.limit == limit


def test_the_clock_is_looked_up_at_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    run(store.set("a", b"1", ttl=5))
    monkeypatch.setattr(time, "time", lambda: 1004.9)
    assert run(store.get("a")) == b"1"
    monkeypatch.setattr(time, "time", lambda: 1005.0)
    assert run(store.get("a")) is None


def test_a_life_is_never_too_short_to_be_seen() -> None:
    async def check() -> None:
        clock = Clock()
        store = MemoryStore(clock)
        await store.set("a", b"x", 1e-9)
        assert await store.get("a") == b"x"
        clock.seconds += 1e-6
        assert await store.get("a") is None

    run(check())


def test_a_store_that_holds_nothing_is_refused() -> None:
    with pytest.raises(StoreError, match="max_entries 0 holds nothing"):
        MemoryStore(max_entries=0)
