"""What the workers of a filter share: values with a time to live, counters, and rate limits.

A filter finds its store as `self.store`. Every method is awaitable, so that the same filter runs on the
memory of one process, of a supervisor, or on Redis; the meaning is that of Redis where both know a word.
Keys are str, values bytes, times seconds. What a store can not do raises `meshext.errors.StoreError`; the
part of that which may be over soon, a store that is away or slow, raises its subclass `StoreUnavailable`.

| store | who shares it | how long it lasts |
|---|---|---|
| memory | one process: a test, or a service with one worker | as the process |
| the supervisor's memory | all workers of one service | as the service, over reloads and killed workers |
| Redis | every service on that Redis and database with a filter of the same name | as Redis keeps it |
"""

from __future__ import annotations

import math
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from meshext.errors import StoreError
from meshext.lapsed import Lapsed
from meshext.limits import Limit, Outcome, State, decide, free_again, to_micros
from meshext.table import Table

# What Redis takes for a number in INCRBY: no sign but minus, no leading zeros, no spaces, 64 bits.
NUMBER = re.compile(rb"0|-?[1-9][0-9]{0,18}")
MIN_NUMBER, MAX_NUMBER = -(2**63), 2**63 - 1

MAX_KEY = 16_384  # characters
MAX_VALUE = 1_048_576  # bytes
MAX_LIMITS = 64  # in one `take`
LONGEST_TTL = 1e12  # seconds; what is to live longer lives as long


class Store(ABC):
    """Shared data of one filter; each method is atomic, over all who share the store.

    A key has at most `MAX_KEY` characters, a value `MAX_VALUE` bytes, a `take` `MAX_LIMITS` limits.
    Every method may raise StoreUnavailable where the store is another process: it is not there, or has not
    answered within 25 ms. Whether the call took effect is then unknown, and it is never sent twice, so that
    nothing is counted twice. Left alone, it makes the hook fail and the filter's `failure` decide; a hook
    that would rather go on without the store catches it.
    """

    async def start(self) -> None:  # noqa: B027  # most stores have nothing to do here
        """Begin to connect, where there is something to connect to; the service calls it, and never waits."""

    async def close(self) -> None:  # noqa: B027  # nor here
        """Let go of connections, where there are any; the service calls it at its end."""

    @abstractmethod
    async def get(self, key: str) -> bytes | None:
        """The value, or None where there is none or its time is over."""

    @abstractmethod
    async def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        """Write a value that lives `ttl` seconds (None: for good); an older time to live is forgotten."""

    @abstractmethod
    async def delete(self, key: str) -> None:
        """Forget the key; silent when there is none."""

    @abstractmethod
    async def add(self, key: str, amount: int = 1, ttl: float | None = None) -> int:
        """Add to a number and return the sum; a missing key counts from 0.

        The number is stored as decimal ASCII, so `get` reads it and `set(key, b"7")` writes it.
        `ttl` applies when this call creates the key, and is left alone afterwards.
        Raises StoreError where the value is not a number or the sum does not fit into 64 bits.
        """

    @abstractmethod
    async def compare_and_set(
        self, key: str, expected: bytes | None, value: bytes, ttl: float | None = None
    ) -> bool:
        """Write as `set` does if the value is `expected` (None: if there is none); True if written."""

    @abstractmethod
    async def take(self, limits: Sequence[Limit]) -> tuple[Outcome, ...]:
        """Hit several limits as one: all of a group take their cost, or, if one refuses, none does.

        The hits pass if `all(outcome.allowed for outcome in outcomes)`; outcomes are in the order of
        the limits (see `meshext.limits.decide`). Limits and values never share a key. One counter in two
        groups is a StoreError.
        """


class MemoryStore(Store):
    """A store in the memory of this process.

    `now` gives the time in seconds. At most `max_entries` values and as many limit counters are kept, so
    a flood of limited clients never pushes out values. A full store forgets what has expired first, then
    what was written longest ago. A counter that refuses is never forgotten before it would admit again; where
    all of them refuse, `Lapsed` remembers that, in a fixed space.
    """

    def __init__(self, now: Callable[[], float] = lambda: time.time(), *, max_entries: int = 100_000) -> None:
        if max_entries < 1:
            raise StoreError(f"max_entries {max_entries!r} holds nothing; write at least 1")
        self._now = now
        self._values: Table[bytes] = Table(max_entries)
        self._lapsed = Lapsed()
        self._counters: Table[State] = Table(max_entries, on_lost=self._lapsed.add)

    async def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        check_key(key)
        return self._values.get(key, self._micros())

    async def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        """See `Store.set`."""
        check_key(key)
        check_value(value)
        now = self._micros()
        self._values.put(key, value, now, expires=_expiry(now, ttl))

    async def delete(self, key: str) -> None:
        """See `Store.delete`."""
        check_key(key)
        self._values.remove(key)

    async def add(self, key: str, amount: int = 1, ttl: float | None = None) -> int:
        """See `Store.add`."""
        check_key(key)
        now = self._micros()
        expires = _expiry(now, ttl)
        old = self._values.get(key, now)
        total = add_number(key, old, amount)
        if old is not None:
            expires = self._values.expires(key)
        self._values.put(key, b"%d" % total, now, expires=expires)
        return total

    async def compare_and_set(
        self, key: str, expected: bytes | None, value: bytes, ttl: float | None = None
    ) -> bool:
        """See `Store.compare_and_set`."""
        check_key(key)
        check_value(value)
        if expected is not None:
            check_value(expected)
        now = self._micros()
        expires = _expiry(now, ttl)
        if self._values.get(key, now) != expected:
            return False
        self._values.put(key, value, now, expires=expires)
        return True

    async def take(self, limits: Sequence[Limit]) -> tuple[Outcome, ...]:
        """See `Store.take`."""
        check_limits(limits)
        now = self._micros()
        states = {}
        for limit in limits:
            identity = limit.identity
            state = self._counters.get(identity, now) or self._lapsed.state(limit, identity, now)
            if state is not None:
                states[identity] = state
        moved, outcomes = decide(limits, states, now)
        for outcome in outcomes:
            self._keep(outcome, moved, now)
        return outcomes

    def _keep(self, outcome: Outcome, moved: Mapping[str, State], now: int) -> None:
        """Write a counter that has moved, and hold on to one that refuses."""
        limit, identity = outcome.limit, outcome.limit.identity
        state = moved.get(identity)
        if state is not None:
            held = None if outcome.remaining else free_again(limit, state, now)
            self._counters.put(identity, state, now, expires=now + to_micros(outcome.reset_after), held=held)
        elif not outcome.allowed and math.isfinite(outcome.retry_after):
            self._counters.hold(identity, now + to_micros(outcome.retry_after))

    def _micros(self) -> int:
        return to_micros(self._now())


class NamespacedStore(Store):
    """A view of another store in which every key is this namespace's own, e.g. a filter's name.

    The namespace is written with its length in front, so that no namespace and key read as another's.
    `start` and `close` do nothing: the store below belongs to the service, not to a filter.
    """

    def __init__(self, store: Store, namespace: str) -> None:
        self._store = store
        self._prefix = f"{len(namespace)}:{namespace}:"

    async def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        return await self._store.get(self._own(key))

    async def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        """See `Store.set`."""
        await self._store.set(self._own(key), value, ttl)

    async def delete(self, key: str) -> None:
        """See `Store.delete`."""
        await self._store.delete(self._own(key))

    async def add(self, key: str, amount: int = 1, ttl: float | None = None) -> int:
        """See `Store.add`."""
        return await self._store.add(self._own(key), amount, ttl)

    async def compare_and_set(
        self, key: str, expected: bytes | None, value: bytes, ttl: float | None = None
    ) -> bool:
        """See `Store.compare_and_set`."""
        return await self._store.compare_and_set(self._own(key), expected, value, ttl)

    async def take(self, limits: Sequence[Limit]) -> tuple[Outcome, ...]:
        """See `Store.take`."""
        check_limits(limits)
        outcomes = await self._store.take(
            [limit.counting(self._own(limit.key), limit.cost) for limit in limits]
        )
        return tuple(replace(outcome, limit=limit) for outcome, limit in zip(outcomes, limits, strict=True))

    def _own(self, key: str) -> str:
        check_key(key)
        return self._prefix + key


def check_key(key: object) -> None:
    """Raise StoreError unless the key is text."""
    if isinstance(key, (bytes, bytearray)):
        raise StoreError(f"store key {key!r:.60} is bytes; write key.decode()")
    if not isinstance(key, str):
        raise StoreError(f"store key {key!r:.60} is {type(key).__name__}; write a str")
    if len(key) > MAX_KEY:
        raise StoreError(f"store key {key!r:.60}... has {len(key)} characters; at most {MAX_KEY}, so hash it")


def check_value(value: object) -> None:
    """Raise StoreError unless the value is bytes."""
    if isinstance(value, str):
        raise StoreError(f"store value {value!r:.60} is a str; write value.encode()")
    if not isinstance(value, bytes):
        raise StoreError(f"store value {value!r:.60} is {type(value).__name__}; write bytes")
    if len(value) > MAX_VALUE:
        raise StoreError(f"store value of {len(value)} bytes is too long; write at most {MAX_VALUE}")


def check_ttl(ttl: object) -> None:
    """Raise StoreError unless the time to live is None or a finite number of seconds above 0."""
    if ttl is None:
        return
    if isinstance(ttl, bool) or not isinstance(ttl, (int, float)) or not 0 < ttl < math.inf:
        raise StoreError(f"ttl {ttl!r} must be seconds above 0, or None for a value that stays")


def check_limits(limits: object) -> None:
    """Raise StoreError unless this is a sequence of limits."""
    if not isinstance(limits, Sequence) or isinstance(limits, (str, bytes)):
        raise StoreError(f"take({limits!r:.60}) wants several limits; write take([Limit(...)])")
    if len(limits) > MAX_LIMITS:
        raise StoreError(f"take of {len(limits)} limits is too many; write at most {MAX_LIMITS}")
    for limit in limits:
        if not isinstance(limit, Limit):
            raise StoreError(f"take: {limit!r:.60} is not a Limit; write take([Limit(...)])")
        check_key(limit.key)
    if any(limit.group for limit in limits):
        check_groups(limits)


def check_groups(limits: Sequence[Limit]) -> None:
    """Raise StoreError where one counter would have to be decided in two groups."""
    groups: dict[str, int] = {}
    for limit in limits:
        if groups.setdefault(limit.identity, limit.group) != limit.group:
            raise StoreError(f"take: the limit of {limit.key!r:.60} is in two groups; write one group")


def check_amount(key: str, amount: object) -> None:
    """Raise StoreError unless the amount is a whole number of 64 bits, as Redis adds them."""
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise StoreError(f"add({key!r:.60}): amount {amount!r:.60} is not a whole number; write an int")
    if not MIN_NUMBER <= amount <= MAX_NUMBER:
        raise StoreError(f"add({key!r:.60}): amount {amount} does not fit into 64 bits")


def add_number(key: str, old: bytes | None, amount: int) -> int:
    """The sum of a stored number (None counts as 0) and `amount`; StoreError where there is none."""
    check_amount(key, amount)
    if old is not None and (not NUMBER.fullmatch(old) or not MIN_NUMBER <= int(old) <= MAX_NUMBER):
        raise StoreError(f"add({key!r:.60}): the value {old!r:.60} is not a number; set it to b'0' first")
    total = int(old or b"0") + amount
    if not MIN_NUMBER <= total <= MAX_NUMBER:
        raise StoreError(f"add({key!r:.60}): {total} does not fit into 64 bits; set it to b'0' first")
    return total


def _expiry(now: int, ttl: float | None) -> int | None:
    check_ttl(ttl)
    return None if ttl is None else now + max(to_micros(min(ttl, LONGEST_TTL)), 1)
