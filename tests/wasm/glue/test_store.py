"""The store over Envoy's shared data beside the store in memory: the same answers to any calls."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshext.errors import StoreError
from meshext.limits import Limit as SdkLimit
from meshext.store import MemoryStore
from meshext_wasm.abi.functions import HOST_FUNCTIONS, WASI_FUNCTIONS
from meshext_wasm.host.machine import Machine
from meshext_wasm.library.meshext import buckets
from meshext_wasm.library.meshext.buckets import WIDE, Buckets, Entry
from meshext_wasm.library.meshext.errors import StoreError as LibraryError
from meshext_wasm.library.meshext.errors import StoreUnavailable
from meshext_wasm.library.meshext.host_shared import write_shared
from meshext_wasm.library.meshext.limits import Limit
from meshext_wasm.library.meshext.store import Store
from meshext_wasm.library.raw import EMULATION
from tests.wasm.glue.interpreted import EmulatedMemory, bind, run_at_once
from tests.wasm.glue.test_limits import plain

SECOND = 1_000_000_000


class Clock:
    """Nanoseconds since 1970, as slow as a test wants."""

    def __init__(self) -> None:
        self.now = 1_700_000_000 * SECOND

    def __call__(self) -> int:
        return self.now


class Ground:
    """Both stores under one clock; `tamper` runs before each write of a bucket."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.machine = Machine(clock=self.clock)
        self.machine.attach(EmulatedMemory())
        self.machine.initializing = False
        for name in (*HOST_FUNCTIONS, *WASI_FUNCTIONS):
            EMULATION.hosts[name] = bind(self.machine, name)
        self.inside = Store("test")
        self.memory = MemoryStore(lambda: self.clock.now / SECOND)

    def both(self, name: str, *arguments: Any) -> tuple[Any, Any]:
        """What each of them gives or says."""
        found = []
        for store, error in ((self.inside, LibraryError), (self.memory, StoreError)):
            try:
                call = getattr(store, name)(*arguments)
                found.append(run_at_once(call) if store is self.inside else asyncio.run(call))
            except error as refusal:
                found.append(str(refusal))
        return found[0], found[1]


@pytest.fixture
def ground() -> Iterator[Ground]:
    yield Ground()
    EMULATION.hosts.clear()


KEY = st.sampled_from(["a", "b", "caf\u00e9", "\udcff"])
VALUE = st.sampled_from([b"", b"7", b"-3", b"07", b"x" * 300])
TTL = st.sampled_from([None, 0.5, 3])
CALL = st.one_of(
    st.tuples(st.just("get"), KEY),
    st.tuples(st.just("set"), KEY, VALUE, TTL),
    st.tuples(st.just("delete"), KEY),
    st.tuples(st.just("add"), KEY, st.sampled_from([1, -2, 2**63 - 1]), TTL),
    st.tuples(st.just("compare_and_set"), KEY, st.one_of(st.none(), VALUE), VALUE, TTL),
)


@given(st.lists(st.tuples(CALL, st.sampled_from([0, 0.4, 2])), max_size=20))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_values_are_those_of_any_store(steps: list[tuple[tuple[Any, ...], float]]) -> None:
    ground = Ground()
    for (name, *arguments), passed in steps:
        ground.clock.now += int(passed * SECOND)
        inside, memory = ground.both(name, *arguments)
        assert inside == memory


def test_limits_are_counted_as_in_any_store(ground: Ground) -> None:
    for number in range(30):
        ground.clock.now += SECOND // 8
        hit = {"key": f"k{number % 2}", "algorithm": "sliding_window", "rate": 3, "window": 1.0}
        more = {"key": "all", "algorithm": "gcra", "rate": 2, "window": 0.5, "burst": 3}
        inside = run_at_once(ground.inside.take([Limit(**hit), Limit(**more)]))  # type: ignore[arg-type]
        memory = asyncio.run(ground.memory.take([SdkLimit(**hit), SdkLimit(**more)]))  # type: ignore[arg-type]
        assert list(map(plain, inside)) == list(map(plain, memory))


def test_keys_in_envoy_are_as_many_as_there_are_buckets(ground: Ground) -> None:
    ground.inside.prepare()
    before = len(ground.machine.shared.data)
    for number in range(3000):
        run_at_once(ground.inside.set(f"key {number}", b"value"))
    assert len(ground.machine.shared.data) == before
    assert run_at_once(ground.inside.get("key 2999")) == b"value"


def test_where_a_key_is_can_not_be_foreseen(ground: Ground) -> None:
    """Every machine finds the same places, another Envoy finds others."""
    other, elsewhere = Store("test"), Store("elsewhere")
    for store in (ground.inside, other, elsewhere):
        store.prepare()
    keys = [b"%d" % number for number in range(100)]

    def places(store: Store) -> list[bytes]:
        return [store._counters.read(key).name.rpartition(b".")[2] for key in keys]

    assert places(ground.inside) == places(other)
    assert places(ground.inside) != places(elsewhere)
    assert len(set(places(other))) > 90


def test_what_has_expired_goes_first_then_what_is_oldest(ground: Ground) -> None:
    table = Buckets("t", 1)
    bucket = table.read(b"")
    for number in range(WIDE):
        bucket.put(Entry(b"%d" % number, b"", 100 if number == 5 else 1000, 0, number), 10)
    bucket.put(Entry(b"new", b"", 1000, 0, 99), 200)
    assert [each.key for each in bucket.entries] == [b"0", b"1", b"2", b"3", b"4", b"6", b"7", b"new"]
    bucket.put(Entry(b"newer", b"", 1000, 0, 100), 200)
    assert b"0" not in [each.key for each in bucket.entries]
    assert bucket.lapsed == 0


def test_who_is_over_a_limit_stays_so_when_the_bucket_is_full(ground: Ground) -> None:
    """As many as a bucket has room for are refused; the one that has to go leaves a mark for all others."""
    ground.inside._counters.count = 1
    limit = {"algorithm": "fixed_window", "rate": 1, "window": 60.0}
    for _ in range(2):
        for number in range(WIDE + 1):
            run_at_once(ground.inside.take([Limit(key=f"k{number}", **limit)]))  # type: ignore[arg-type]
    for number in range(WIDE + 1):
        (outcome,) = run_at_once(ground.inside.take([Limit(key=f"k{number}", **limit)]))  # type: ignore[arg-type]
        assert not outcome.allowed
    ground.clock.now += 61 * SECOND
    (outcome,) = run_at_once(ground.inside.take([Limit(key="k0", **limit)]))  # type: ignore[arg-type]
    assert outcome.allowed


def test_another_worker_in_between_is_not_overwritten(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Store("test")
    write = write_shared
    meddling = [3]

    def slow(key: bytes, value: bytes, version: int) -> bool:
        if meddling[0] and version:
            meddling[0] -= 1
            keep, meddling[0] = meddling[0], 0
            run_at_once(other.add("n", 10))
            meddling[0] = keep
        return write(key, value, version)

    monkeypatch.setattr(buckets, "write_shared", slow)
    assert run_at_once(ground.inside.add("n", 1)) == 31
    assert run_at_once(ground.inside.get("n")) == b"31"


def test_a_store_that_others_always_write_first_says_so(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_at_once(ground.inside.set("n", b"1"))
    monkeypatch.setattr(buckets, "write_shared", lambda *_: False)
    with pytest.raises(StoreUnavailable):
        run_at_once(ground.inside.add("n"))
