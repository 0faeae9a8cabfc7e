"""What the workers of an Envoy share: `meshext.Store` over Envoy's shared data. Every call answers at once.

A filter has 2,048 places for values and 32,768 for limit counters, which no number of callers makes more.
What goes first when a bucket is full is told in `buckets`. Values and counters live as long as Envoy and the
name of the chain: a new configuration finds those of the one before.
"""

from collections.abc import Iterable

from meshext_wasm.library.meshext.buckets import (
    FOREVER,
    TRIES,
    Bucket,
    Buckets,
    Entry,
    OwnBuckets,
    busy,
    new_seed,
)
from meshext_wasm.library.meshext.errors import StoreError
from meshext_wasm.library.meshext.host_shared import read_shared, write_shared
from meshext_wasm.library.meshext.legal import encode
from meshext_wasm.library.meshext.limits import Decision, Limit, Outcome, decide, free_again, spent, to_micros
from meshext_wasm.library.proxy.host import now as nanoseconds

VALUES = 256
COUNTERS = 4096
MAX_KEY = 16384
MAX_VALUE = 65536
MAX_LIMITS = 64
LONGEST_TTL = 1e12
MIN_NUMBER = -9223372036854775808
MAX_NUMBER = 9223372036854775807


class Store:
    """The store of one filter."""

    def __init__(self, namespace: str) -> None:
        self._seed = f"meshext.store.{namespace}.seed".encode()
        self._values: Buckets = Buckets(f"meshext.store.{namespace}.value.", VALUES)
        self._counters: Buckets = Buckets(f"meshext.store.{namespace}.limit.", COUNTERS)

    def prepare(self) -> None:
        """Make all buckets and the secret by which keys find theirs, before anybody can write to them: Envoy
        knows no "write if there is none"."""
        if read_shared(self._seed) is None:
            write_shared(self._seed, new_seed().to_bytes(7, "little"), 0)
        self._values.prepare()
        self._counters.prepare()
        found = read_shared(self._seed)
        if found is not None:
            self._values.seed = int.from_bytes(found.data, "little")
            self._counters.seed = self._values.seed

    async def get(self, key: str) -> bytes | None:
        """The value, or None where there is none or its time is over."""
        name = check_key(key)
        found = self._values.read(name).find(name, micros())
        if found is None:
            return None
        return found.value

    async def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        """Write a value that lives `ttl` seconds (None: for good); an older time to live is forgotten."""
        name = check_key(key)
        check_value(value)
        for _ in range(TRIES):
            now = micros()
            bucket = self._values.read(name)
            bucket.put(Entry(name, value, expiry(now, ttl), 0, now), now)
            if bucket.write():
                return
        raise busy()

    async def delete(self, key: str) -> None:
        """Forget the key; silent when there is none."""
        name = check_key(key)
        for _ in range(TRIES):
            bucket = self._values.read(name)
            if bucket.find(name, micros()) is None:
                return
            bucket.remove(name)
            if bucket.write():
                return
        raise busy()

    async def add(self, key: str, amount: int = 1, ttl: float | None = None) -> int:
        """Add to a number and return the sum; a missing key counts from 0."""
        name = check_key(key)
        for _ in range(TRIES):
            now = micros()
            bucket = self._values.read(name)
            old = bucket.find(name, now)
            expires = expiry(now, ttl)
            before: bytes | None = None
            if old is not None:
                expires = old.expires
                before = old.value
            total = add_number(key, before, amount)
            bucket.put(Entry(name, str(total).encode(), expires, 0, now), now)
            if bucket.write():
                return total
        raise busy()

    async def compare_and_set(
        self, key: str, expected: bytes | None, value: bytes, ttl: float | None = None
    ) -> bool:
        """Write as `set` does if the value is `expected` (None: if there is none); True if written."""
        name = check_key(key)
        check_value(value)
        for _ in range(TRIES):
            now = micros()
            bucket = self._values.read(name)
            old = bucket.find(name, now)
            before: bytes | None = None
            if old is not None:
                before = old.value
            if before != expected:
                return False
            bucket.put(Entry(name, value, expiry(now, ttl), 0, now), now)
            if bucket.write():
                return True
        raise busy()

    async def take(self, limits: Iterable[Limit]) -> tuple[Outcome, ...]:
        """Hit several limits as one: all of a group take their cost, or, if one refuses, none does."""
        given: list[Limit] = []
        for limit in limits:
            check_key(limit.key)
            given.append(limit)
        check_limits(given)
        for _ in range(TRIES):
            taking = Taking(self._counters, given, micros())
            if taking.write():
                return tuple(taking.decision.outcomes)
        raise busy()


class MemoryStore(Store):
    """A store that this worker has alone."""

    def __init__(self) -> None:
        self._seed = b""
        self._values = OwnBuckets(VALUES)
        self._counters = OwnBuckets(COUNTERS)


class Taking:
    """One try to hit limits: their buckets as they were read, and what was decided on them."""

    def __init__(self, counters: Buckets, limits: list[Limit], now: int) -> None:
        self.now = now
        self.buckets: dict[str, Bucket] = {}
        by_name: dict[bytes, Bucket] = {}
        states: dict[str, tuple[int, ...]] = {}
        for limit in limits:
            identity = limit.identity
            if identity not in self.buckets:
                bucket = counters.read(encode(identity))
                known = by_name.get(bucket.name)
                if known is not None:
                    bucket = known
                by_name[bucket.name] = bucket
                self.buckets[identity] = bucket
                state = read_state(bucket, limit, now)
                if state is not None:
                    states[identity] = state
        self.decision = decide(limits, states, now)
        self.changed: list[Bucket] = []
        for outcome in self.decision.outcomes:
            self.keep(outcome, self.decision)

    def keep(self, outcome: Outcome, decision: Decision) -> None:
        """Write a counter that has moved, and hold on to one that refuses."""
        limit = outcome.limit
        identity = limit.identity
        name = encode(identity)
        bucket = self.buckets[identity]
        state = decision.moved.get(identity)
        if state is not None:
            held = 0
            if outcome.remaining == 0:
                held = free_again(limit, state, self.now)
            expires = self.now + max(to_micros(outcome.reset_after), 1)
            bucket.put(Entry(name, write_state(state), expires, held, self.now), self.now)
        elif not outcome.allowed and outcome.retry_after < LONGEST_TTL:
            known = bucket.find(name, self.now)
            until = self.now + to_micros(outcome.retry_after)
            if known is None or known.held >= until:
                return
            known.held = until
        else:
            return
        if bucket not in self.changed:
            self.changed.append(bucket)

    def write(self) -> bool:
        """Write what has changed; False where somebody was quicker, and nothing was written.

        Where that happens behind the first of several buckets, the hits that were written before stay, and
        the whole is tried again: then a hit may count twice, never too little.
        """
        for bucket in self.changed:
            if not bucket.write():
                return False
        return True


def read_state(bucket: Bucket, limit: Limit, now: int) -> tuple[int, ...] | None:
    """The state of a limit's counter; None for one that is whole."""
    entry = bucket.find(encode(limit.identity), now)
    if entry is not None:
        numbers: list[int] = []
        for at in range(0, len(entry.value), 8):
            numbers.append(int.from_bytes(entry.value[at : at + 8], "little", signed=True))
        return tuple(numbers)
    if bucket.lapsed > now:
        return spent(limit, bucket.lapsed, now)
    return None


def write_state(state: tuple[int, ...]) -> bytes:
    """A state as bytes."""
    pieces: list[bytes] = []
    for number in state:
        pieces.append(number.to_bytes(8, "little", signed=True))
    return b"".join(pieces)


def micros() -> int:
    """Microseconds since 1970, to the nearest."""
    return (nanoseconds() + 500) // 1000


def expiry(now: int, ttl: float | None) -> int:
    """When something that is written now is over."""
    if ttl is None:
        return FOREVER
    if not 0 < ttl < float("inf"):
        raise StoreError(f"ttl {ttl!r} must be seconds above 0, or None for a value that stays")
    return min(now + max(to_micros(min(ttl, LONGEST_TTL)), 1), FOREVER)


def check_key(key: str) -> bytes:
    """The bytes of a key; StoreError where it is too long."""
    if len(key) > MAX_KEY:
        raise StoreError(
            f"store key {repr(key)[:60]}... has {len(key)} characters; at most {MAX_KEY}, so hash it"
        )
    return encode(key)


def check_value(value: bytes) -> None:
    """StoreError where a value is too long for a store inside of Envoy."""
    if len(value) > MAX_VALUE:
        raise StoreError(f"store value of {len(value)} bytes is too long; write at most {MAX_VALUE}")


def check_limits(limits: list[Limit]) -> None:
    """StoreError for too many, or where one counter would have to be decided in two groups."""
    if len(limits) > MAX_LIMITS:
        raise StoreError(f"take of {len(limits)} limits is too many; write at most {MAX_LIMITS}")
    groups: dict[str, int] = {}
    for limit in limits:
        if groups.setdefault(limit.identity, limit.group) != limit.group:
            raise StoreError(f"take: the limit of {repr(limit.key)[:60]} is in two groups; write one group")


def add_number(key: str, old: bytes | None, amount: int) -> int:
    """The sum of a stored number (None counts as 0) and `amount`; StoreError where there is none."""
    shown = repr(key)[:60]
    if not MIN_NUMBER <= amount <= MAX_NUMBER:
        raise StoreError(f"add({shown}): amount {amount} does not fit into 64 bits")
    before = 0
    if old is not None:
        if not is_number(old):
            raise StoreError(
                f"add({shown}): the value {repr(old)[:60]} is not a number; set it to b'0' first"
            )
        before = int(old.decode())
    total = before + amount
    if not MIN_NUMBER <= total <= MAX_NUMBER:
        raise StoreError(f"add({shown}): {total} does not fit into 64 bits; set it to b'0' first")
    return total


def is_number(data: bytes) -> bool:
    """What Redis takes for a number: no sign but minus, no leading zeros, no spaces, 64 bits."""
    digits = data.removeprefix(b"-")
    if data == b"0":
        return True
    if not 1 <= len(digits) <= 19 or digits[0] == 48:
        return False
    for byte in digits:
        if not 48 <= byte <= 57:
            return False
    return MIN_NUMBER <= int(data.decode()) <= MAX_NUMBER
