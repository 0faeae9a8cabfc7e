"""The store in memory against a plain dict, its bound, and namespaces."""

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
from meshext.limits import Limit, State, decide, to_micros
from meshext.store import MemoryStore, NamespacedStore, Store, _Table

T = TypeVar("T")

KEY_NAMES = ("a", "b", "1:a")  # the last would be another namespace's "a" without lengths in front
KEYS = st.sampled_from(KEY_NAMES)
VALUES = st.sampled_from([b"", b"x", b"0", b"-7", b"07", b"+1", b" 1", b"9223372036854775807"])
TTLS = st.none() | st.sampled_from([0.5, 1.0, 3.0, 1e-9])


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_767_225_600.25

    def __call__(self) -> float:
        return self.seconds


def run(call: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(call)


def window(key: str, *, rate: int = 1, cost: int = 1) -> Limit:
    return Limit(key=key, algorithm="fixed_window", rate=rate, window=60, cost=cost)


class AgainstDict(RuleBasedStateMachine):
    """Two namespaces over one store behave like two dicts and two sets of counters."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.loop = asyncio.Runner()
        shared = MemoryStore(self.clock)
        self.stores = {name: NamespacedStore(shared, name) for name in ("f", "f:1")}
        self.model: dict[tuple[str, str], tuple[bytes, float | None]] = {}
        self.counters: dict[str, dict[str, State]] = {name: {} for name in self.stores}

    def teardown(self) -> None:
        self.loop.close()

    def live(self, place: tuple[str, str]) -> bytes | None:
        value, ends = self.model.get(place, (None, None))
        return None if ends is not None and ends <= self.clock.seconds else value

    def write(self, place: tuple[str, str], value: bytes, ttl: float | None) -> None:
        self.model[place] = (value, None if ttl is None else self.clock.seconds + max(ttl, 1e-6))

    @rule(step=st.sampled_from([0.25, 0.5, 1.0, 2.0]))
    def wait(self, step: float) -> None:
        self.clock.seconds += step

    @rule(name=st.sampled_from(["f", "f:1"]), key=KEYS, value=VALUES, ttl=TTLS)
    def set(self, name: str, key: str, value: bytes, ttl: float | None) -> None:
        self.loop.run(self.stores[name].set(key, value, ttl))
        self.write((name, key), value, ttl)

    @rule(name=st.sampled_from(["f", "f:1"]), key=KEYS)
    def delete(self, name: str, key: str) -> None:
        self.loop.run(self.stores[name].delete(key))
        self.model.pop((name, key), None)

    @rule(name=st.sampled_from(["f", "f:1"]), key=KEYS, amount=st.integers(-3, 3), ttl=TTLS)
    def add(self, name: str, key: str, amount: int, ttl: float | None) -> None:
        old = self.live((name, key))
        call = self.stores[name].add(key, amount, ttl)
        number = 0 if old is None else int_or_none(old)
        if number is None or number + amount > 2**63 - 1:
            with pytest.raises(StoreError, match="add"):
                self.loop.run(call)
            return
        assert self.loop.run(call) == number + amount
        value = str(number + amount).encode()
        if old is None:
            self.write((name, key), value, ttl)
        else:
            self.model[name, key] = (value, self.model[name, key][1])

    @rule(name=st.sampled_from(["f", "f:1"]), key=KEYS, expected=st.none() | VALUES, value=VALUES, ttl=TTLS)
    def compare_and_set(
        self, name: str, key: str, expected: bytes | None, value: bytes, ttl: float | None
    ) -> None:
        same = self.live((name, key)) == expected
        assert self.loop.run(self.stores[name].compare_and_set(key, expected, value, ttl)) == same
        if same:
            self.write((name, key), value, ttl)

    @rule(
        name=st.sampled_from(["f", "f:1"]),
        wanted=st.lists(
            st.builds(
                Limit,
                key=KEYS,
                algorithm=st.sampled_from(["fixed_window", "sliding_window", "token_bucket", "gcra"]),
                rate=st.integers(1, 4),
                window=st.sampled_from([1.0, 7.0]),
                cost=st.integers(0, 3),
            ),
            max_size=4,
        ),
    )
    def take(self, name: str, wanted: list[Limit]) -> None:
        """The store may forget what is whole again, and nobody can tell."""
        moved, outcomes = decide(wanted, self.counters[name], to_micros(self.clock.seconds))
        assert self.loop.run(self.stores[name].take(wanted)) == outcomes
        self.counters[name].update(moved)

    @invariant()
    def same_values(self) -> None:
        for name, store in self.stores.items():
            for key in KEY_NAMES:
                assert self.loop.run(store.get(key)) == self.live((name, key))


def int_or_none(value: bytes) -> int | None:
    """The number that Python writes exactly like this."""
    try:
        return int(value) if b"%d" % int(value) == value else None
    except ValueError:
        return None


TestAgainstDict = AgainstDict.TestCase
TestAgainstDict.settings = settings(deadline=None, max_examples=50)


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
TestBoundedTable.settings = settings(deadline=None, max_examples=50)


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


def test_a_refused_take_moves_no_counter() -> None:
    async def check() -> None:
        store = MemoryStore(Clock())
        await store.take([window("b")])
        outcomes = await store.take([window("a", rate=5), window("b")])
        assert [outcome.allowed for outcome in outcomes] == [True, False]
        (a,) = await store.take([window("a", rate=5, cost=0)])
        assert a.remaining == 5
        assert await store.take([]) == ()

    run(check())


def test_values_and_limits_never_share_a_key() -> None:
    async def check() -> None:
        store = MemoryStore(Clock())
        await store.set(window("a").identity, b"x")
        assert (await store.take([window("a")]))[0].allowed
        assert await store.get(window("a").identity) == b"x"

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


@pytest.mark.parametrize("store", [MemoryStore(), NamespacedStore(MemoryStore(), "f")])
@pytest.mark.parametrize(
    ("method", "arguments", "text"),
    [
        ("get", (b"a",), "write key.decode()"),
        ("get", (1,), "store key 1 is int; write a str"),
        ("set", ("a", "x"), "store value 'x' is a str; write value.encode()"),
        ("set", ("a", 1), "store value 1 is int; write bytes"),
        ("set", ("a", b"x", 0), "ttl 0 must be seconds above 0"),
        ("set", ("a", b"x", float("nan")), "ttl nan"),
        ("set", ("a", b"x", float("inf")), "ttl inf"),
        ("add", ("a", 1.5), "amount 1.5 is not a whole number"),
        ("add", ("a", 2**63), "does not fit into 64 bits"),
        ("compare_and_set", ("a", "x", b"y"), "value.encode()"),
        ("take", (window("a"),), "write take([Limit(...)])"),
        ("take", (["a"],), "'a' is not a Limit"),
    ],
)
def test_misuse_is_refused(store: Store, method: str, arguments: tuple[object, ...], text: str) -> None:
    with pytest.raises(StoreError) as refused:
        run(getattr(store, method)(*arguments))
    assert text in str(refused.value)


def test_a_store_that_holds_nothing_is_refused() -> None:
    with pytest.raises(StoreError, match="max_entries 0 holds nothing"):
        MemoryStore(max_entries=0)
