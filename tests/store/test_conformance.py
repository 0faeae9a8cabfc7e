"""One meaning of every store: each kind behaves like dicts, and counters that follow `decide`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from meshext.errors import StoreError
from meshext.limits import Limit, State, decide, to_micros
from meshext.store import MAX_KEY, MAX_LIMITS, MAX_VALUE, NamespacedStore
from tests.store.places import InRedis, Memory, Shared

NAMES = st.sampled_from(["f", "f:1"])
KEY_NAMES = ("a", "b", "1:a", "\udcff")  # the third would be another namespace's "a" without lengths in front
KEYS = st.sampled_from(KEY_NAMES)
LARGEST, SMALLEST = b"9223372036854775807", b"-9223372036854775808"
VALUES = st.sampled_from([b"", b"x", b"0", b"-0", b"-7", b"07", b"+1", b" 1", b"\xff\0", LARGEST, SMALLEST])
# Long beside what a test takes, since in Redis real time goes on below the clock that stands still.
TTLS = st.none() | st.sampled_from([500, 1000.0, 3000.0])

Place = Callable[[], Memory]


@pytest.fixture(params=["memory", "shared", "redis"])
def place(request: pytest.FixtureRequest) -> Place:
    """How to make a store of one kind."""
    if request.param == "redis":
        server = request.getfixturevalue("redis_server")
        return lambda: InRedis(server)
    return Memory if request.param == "memory" else Shared


@pytest.fixture
def opened(place: Place) -> Iterator[Memory]:
    with place() as ready:
        yield ready


class AgainstDict(RuleBasedStateMachine):
    """Two namespaces over one store behave like two dicts and two sets of counters."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place()
        self.run = self.place.run
        self.stores = {name: NamespacedStore(self.place.store, name) for name in ("f", "f:1")}
        self.model: dict[tuple[str, str], tuple[bytes, float | None]] = {}
        self.counters: dict[str, dict[str, State]] = {name: {} for name in self.stores}

    def teardown(self) -> None:
        with self.place:
            pass

    def live(self, place: tuple[str, str]) -> bytes | None:
        value, ends = self.model.get(place, (None, None))
        return None if ends is not None and ends <= self.place.clock.seconds else value

    def write(self, place: tuple[str, str], value: bytes, ttl: float | None) -> None:
        self.model[place] = (value, None if ttl is None else self.place.clock.seconds + ttl)

    @rule(step=st.sampled_from([250.0, 500.0, 1000.0, 2000.0]))
    def wait(self, step: float) -> None:
        self.place.wait(step)

    @rule(name=NAMES, key=KEYS, value=VALUES, ttl=TTLS)
    def set(self, name: str, key: str, value: bytes, ttl: float | None) -> None:
        self.run(self.stores[name].set(key, value, ttl))
        self.write((name, key), value, ttl)

    @rule(name=NAMES, key=KEYS)
    def delete(self, name: str, key: str) -> None:
        self.run(self.stores[name].delete(key))
        self.model.pop((name, key), None)

    @rule(name=NAMES, key=KEYS, amount=st.integers(-3, 3) | st.sampled_from([2**53 + 1, -(2**63)]), ttl=TTLS)
    def add(self, name: str, key: str, amount: int, ttl: float | None) -> None:
        old = self.live((name, key))
        call = self.stores[name].add(key, amount, ttl)
        number = 0 if old is None else int_or_none(old)
        if number is None or not -(2**63) <= number + amount < 2**63:
            with pytest.raises(StoreError, match="add"):
                self.run(call)
            return
        assert self.run(call) == number + amount
        value = str(number + amount).encode()
        if old is None:
            self.write((name, key), value, ttl)
        else:
            self.model[name, key] = (value, self.model[name, key][1])

    @rule(name=NAMES, key=KEYS, expected=st.none() | VALUES, value=VALUES, ttl=TTLS)
    def compare_and_set(
        self, name: str, key: str, expected: bytes | None, value: bytes, ttl: float | None
    ) -> None:
        same = self.live((name, key)) == expected
        assert self.run(self.stores[name].compare_and_set(key, expected, value, ttl)) == same
        if same:
            self.write((name, key), value, ttl)

    @rule(
        name=NAMES,
        wanted=st.lists(
            st.builds(
                Limit,
                key=KEYS,
                algorithm=st.sampled_from(["fixed_window", "sliding_window", "token_bucket", "gcra"]),
                rate=st.integers(1, 4),
                window=st.sampled_from([1000.0, 7000.0]),
                cost=st.integers(0, 3) | st.integers(0, 50),
                forced=st.booleans(),
                group=st.integers(0, 1),
            ),
            max_size=4,
        ),
    )
    def take(self, name: str, wanted: list[Limit]) -> None:
        """The store may forget what is whole again, and nobody can tell."""
        if len({limit.identity for limit in wanted}) < len({(x.identity, x.group) for x in wanted}):
            with pytest.raises(StoreError, match="in two groups; write one group"):
                self.run(self.stores[name].take(wanted))
            return
        moved, outcomes = decide(wanted, self.counters[name], to_micros(self.place.clock.seconds))
        assert self.run(self.stores[name].take(wanted)) == outcomes
        self.counters[name].update(moved)

    @invariant()
    def same_values(self) -> None:
        for name, store in self.stores.items():
            for key in KEY_NAMES:
                assert self.run(store.get(key)) == self.live((name, key))


def int_or_none(value: bytes) -> int | None:
    """The number that Python writes exactly like this."""
    try:
        return int(value) if b"%d" % int(value) == value else None
    except ValueError:
        return None


@pytest.mark.timeout(240)
def test_behaves_like_dicts_and_counters(place: Place) -> None:
    class Here(AgainstDict):
        def __init__(self) -> None:
            super().__init__(place)

    run_state_machine_as_test(Here, settings=settings(max_examples=25, stateful_step_count=30))


def window(key: str, *, rate: int = 1, cost: int = 1) -> Limit:
    return Limit(key=key, algorithm="fixed_window", rate=rate, window=60, cost=cost)


def test_a_refused_take_moves_no_counter(opened: Memory) -> None:
    async def check() -> None:
        store = opened.store
        await store.take([window("b")])
        outcomes = await store.take([window("a", rate=5), window("b")])
        assert [outcome.allowed for outcome in outcomes] == [True, False]
        (a,) = await store.take([window("a", rate=5, cost=0)])
        assert a.remaining == 5
        assert await store.take([]) == ()

    opened.run(check())


def test_values_and_limits_never_share_a_key(opened: Memory) -> None:
    async def check() -> None:
        await opened.store.set(window("a").identity, b"x")
        assert (await opened.store.take([window("a")]))[0].allowed
        assert await opened.store.get(window("a").identity) == b"x"

    opened.run(check())


def test_the_largest_of_everything_fits(opened: Memory) -> None:
    async def check() -> None:
        key, value = "\U0001f600" * MAX_KEY, b"\0" * MAX_VALUE
        assert await opened.store.compare_and_set(key, None, value)
        assert await opened.store.compare_and_set(key, value, value, 1e300)
        assert await opened.store.get(key) == value
        limits = [window(f"{number:02}" + "\U0001f600" * (MAX_KEY - 2)) for number in range(MAX_LIMITS)]
        outcomes = await opened.store.take(limits)
        assert [outcome.limit for outcome in outcomes] == limits

    opened.run(check())


@pytest.mark.parametrize(
    ("method", "arguments", "text"),
    [
        ("get", (b"a",), "write key.decode()"),
        ("get", (1,), "store key 1 is int; write a str"),
        ("get", ("a" * (MAX_KEY + 1),), "has 16385 characters; at most 16384, so hash it"),
        ("set", ("a", "x"), "store value 'x' is a str; write value.encode()"),
        ("set", ("a", 1), "store value 1 is int; write bytes"),
        ("set", ("a", bytes(MAX_VALUE + 1)), "store value of 1048577 bytes is too long"),
        ("set", ("a", b"x", 0), "ttl 0 must be seconds above 0"),
        ("set", ("a", b"x", float("nan")), "ttl nan"),
        ("set", ("a", b"x", float("inf")), "ttl inf"),
        ("add", ("a", 1.5), "amount 1.5 is not a whole number"),
        ("add", ("a", 2**63), "does not fit into 64 bits"),
        ("add", ("a", 1, -1), "ttl -1"),
        ("compare_and_set", ("a", "x", b"y"), "value.encode()"),
        ("take", (window("a"),), "write take([Limit(...)])"),
        ("take", (["a"],), "'a' is not a Limit"),
        ("take", ([window("a")] * (MAX_LIMITS + 1),), "take of 65 limits is too many"),
    ],
)
@pytest.mark.parametrize("namespaced", [False, True])
def test_misuse_is_refused(
    opened: Memory, method: str, arguments: tuple[object, ...], text: str, namespaced: bool
) -> None:
    store = NamespacedStore(opened.store, "f") if namespaced else opened.store
    with pytest.raises(StoreError) as refused:
        opened.run(getattr(store, method)(*arguments))
    assert text in str(refused.value)
