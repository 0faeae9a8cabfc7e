"""What is special about the store in memory: its bound, its clock; and namespaces."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from meshext.errors import StoreError
from meshext.limits import Limit
from meshext.store import MemoryStore, NamespacedStore, _Table
from tests.store.places import Clock

T = TypeVar("T")


def run(call: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(call)


def window(key: str, *, rate: int = 1, cost: int = 1) -> Limit:
    return Limit(key=key, algorithm="fixed_window", rate=rate, window=60, cost=cost)


class BoundedTable(RuleBasedStateMachine):
    """A table is never larger than its bound, and forgets in the order promised."""

    SIZE = 4

    def __init__(self) -> None:
        super().__init__()
        self.table: _Table[int] = _Table(self.SIZE)
        self.now = 100
        self.model: dict[str, tuple[int, int | None, bool]] = {}  # oldest write first

    @rule(step=st.integers(0, 5))
    def wait(self, step: int) -> None:
        self.now += step

    @rule(
        key=st.sampled_from("abcdefgh"),
        value=st.integers(),
        ttl=st.none() | st.integers(1, 9),
        kept=st.booleans(),
    )
    def put(self, key: str, value: int, ttl: int | None, kept: bool) -> None:
        expires = None if ttl is None else self.now + ttl
        self.table.put(key, value, self.now, expires=expires, kept=kept)
        if key not in self.model:
            self.forget_expired()
            if len(self.model) >= self.SIZE:
                free = [k for k, (_, _, is_kept) in self.model.items() if not is_kept]
                del self.model[(free or list(self.model))[0]]
        self.model.pop(key, None)
        self.model[key] = (value, expires, kept)

    @rule(key=st.sampled_from("abcdefgh"))
    def remove(self, key: str) -> None:
        self.table.remove(key)
        self.model.pop(key, None)

    def forget_expired(self) -> None:
        self.model = {k: v for k, v in self.model.items() if v[1] is None or v[1] > self.now}

    @invariant()
    def same(self) -> None:
        assert len(self.table) <= self.SIZE
        assert len(self.table._due) <= 2 * self.SIZE + _Table.LOOKS
        for key in "abcdefgh":
            value, expires, _ = self.model.get(key, (None, None, False))
            gone = expires is not None and expires <= self.now
            assert self.table.get(key, self.now) == (None if gone else value)


TestBoundedTable = BoundedTable.TestCase
TestBoundedTable.settings = settings(max_examples=50)


def test_a_counter_hit_often_has_one_place_in_the_heap() -> None:
    table: _Table[int] = _Table(10)
    for now in range(1000):
        table.put("a", now, now, expires=now + 50)
    assert len(table._due) == 1


def test_a_life_cut_short_ends_before_older_entries_go() -> None:
    table: _Table[int] = _Table(2)
    table.put("old", 1, 0, expires=None)
    table.put("short", 2, 0, expires=90)
    table.put("short", 3, 0, expires=10)
    table.put("new", 4, 10, expires=None)
    assert (table.get("old", 10), table.get("short", 10), table.get("new", 10)) == (1, None, 4)


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
