"""Shared data of Envoy as a table of a fixed size: what the virtual machines of all workers see.

Shared data can never be deleted, so the keys of Envoy are the buckets of a table and nothing else: an entry
of ours is in the bucket of its key's hash, with its key in it. A bucket has room for `WIDE` entries; where it
is full, what has expired goes first, then what does not hold anybody back and was written longest ago. A
bucket is written only as it was read (compare and set), so an entry moves in one step whoever else writes.

    expires, held, written: 8 bytes each; lengths of key and value: 4 each; key, value
    before the first entry: 8 bytes, until when keys that are not here are held back (see `Bucket.lapsed`)
"""

from meshext_wasm.library.meshext.errors import StoreUnavailable
from meshext_wasm.library.meshext.host_shared import Shared, read_shared, write_shared
from meshext_wasm.library.raw import virtual, wide
from meshext_wasm.library.secrets import token_bytes

WIDE = 8
HEAD = 8
ENTRY = 32
TRIES = 1000
FOREVER = 9007199254740992
EMPTY = bytes(HEAD)


class Entry:
    """A value under a key. Times are in microseconds; `held` is until when a counter refuses, 0 for never."""

    def __init__(self, key: bytes, value: bytes, expires: int, held: int, written: int) -> None:
        self.key = key
        self.value = value
        self.expires = expires
        self.held = held
        self.written = written


class Bucket:
    """A bucket as it was read. `lapsed`: until then a key that is not here may be one that had to be
    forgotten while it refused, and counts as such."""

    def __init__(self, table: "Buckets", name: bytes, data: bytes, version: int) -> None:
        self.table = table
        self.name = name
        self.version = version
        self.lapsed = 0
        self.entries: list[Entry] = []
        if len(data) >= HEAD:
            self.lapsed = int.from_bytes(data[:HEAD], "little")
        at = HEAD
        while at + ENTRY <= len(data):
            middle = at + ENTRY + int.from_bytes(data[at + 24 : at + 28], "little")
            end = middle + int.from_bytes(data[at + 28 : at + ENTRY], "little")
            expires = int.from_bytes(data[at : at + 8], "little")
            held = int.from_bytes(data[at + 8 : at + 16], "little")
            written = int.from_bytes(data[at + 16 : at + 24], "little")
            self.entries.append(Entry(data[at + ENTRY : middle], data[middle:end], expires, held, written))
            at = end

    def find(self, key: bytes, now: int) -> Entry | None:
        """The entry of a key, unless its time is over."""
        for entry in self.entries:
            if entry.key == key and entry.expires > now:
                return entry
        return None

    def put(self, entry: Entry, now: int) -> None:
        """Write an entry, in the place of the one of its key, or of one that has to go."""
        kept: list[Entry] = []
        for each in self.entries:
            if each.key != entry.key and each.expires > now:
                kept.append(each)
        if len(kept) >= WIDE:
            kept = self.without_one(kept, now)
        kept.append(entry)
        self.entries = kept

    def remove(self, key: bytes) -> None:
        """Forget the key."""
        kept: list[Entry] = []
        for entry in self.entries:
            if entry.key != key:
                kept.append(entry)
        self.entries = kept

    def without_one(self, entries: list[Entry], now: int) -> list[Entry]:
        """Without the one that holds nobody back and is oldest; else the one that does so for the shortest
        time, which is remembered."""
        last = entries[0]
        for entry in entries:
            if entry.held <= now:
                if last.held > now or entry.written < last.written:
                    last = entry
            elif last.held > now and entry.held < last.held:
                last = entry
        if last.held > now:
            self.lapsed = max(self.lapsed, last.held)
        kept: list[Entry] = []
        for entry in entries:
            if entry is not last:
                kept.append(entry)
        return kept

    def write(self) -> bool:
        """Put it where it came from; False where somebody else has written since."""
        pieces: list[bytes] = [self.lapsed.to_bytes(HEAD, "little")]
        for entry in self.entries:
            pieces.append(entry.expires.to_bytes(8, "little"))
            pieces.append(entry.held.to_bytes(8, "little"))
            pieces.append(entry.written.to_bytes(8, "little"))
            pieces.append(len(entry.key).to_bytes(4, "little"))
            pieces.append(len(entry.value).to_bytes(4, "little"))
            pieces.append(entry.key)
            pieces.append(entry.value)
        return self.table.keep(self.name, b"".join(pieces), self.version)


class Buckets:
    """A table: `name` begins the keys of its buckets in Envoy."""

    def __init__(self, name: str, count: int) -> None:
        self.name = name
        self.count = count
        self.seed = 0

    def prepare(self) -> None:
        """Make every bucket that is not there yet."""
        for number in range(self.count):
            name = f"{self.name}{number}".encode()
            if self.load(name) is None:
                self.keep(name, EMPTY, 0)

    def read(self, key: bytes) -> Bucket:
        """The bucket of a key, which has a version once it was made."""
        name = f"{self.name}{fingerprint(key, self.seed) % self.count}".encode()
        for _ in range(TRIES):
            found = self.load(name)
            if found is not None:
                return Bucket(self, name, found.data, found.version)
            self.keep(name, EMPTY, 0)
        raise busy()

    @virtual
    def load(self, name: bytes) -> Shared | None:
        """What a bucket has; None where nobody has written it."""
        return read_shared(name)

    @virtual
    def keep(self, name: bytes, data: bytes, version: int) -> bool:
        """Write a bucket; False where it is another version by now."""
        return write_shared(name, data, version)


class OwnBuckets(Buckets):
    """A table in the memory of this virtual machine alone, which nobody else writes."""

    def __init__(self, count: int) -> None:
        super().__init__("", count)
        self.seed = new_seed()
        self.kept: dict[bytes, bytes] = {}

    def load(self, name: bytes) -> Shared | None:
        """What a bucket has."""
        found = self.kept.get(name)
        if found is None:
            return None
        return Shared(found, 1)

    def keep(self, name: bytes, data: bytes, version: int) -> bool:
        """Write a bucket."""
        self.kept[name] = data
        return True


def new_seed() -> int:
    """A secret of 56 bits."""
    return int.from_bytes(token_bytes(7), "little")


def busy() -> StoreUnavailable:
    """Somebody else was quicker too often."""
    return StoreUnavailable("the store inside Envoy is written too often by other workers")


def fingerprint(key: bytes, seed: int) -> int:
    """A number below 2**30 for a key, which nobody can foresee who does not know the seed: else somebody
    could choose keys that share a bucket with somebody else's."""
    start = wide(seed)
    state = start
    for byte in key:
        state = (state ^ wide(byte)) * wide(0x9E3779B97F4A7C15)
        state = state ^ (state >> wide(29))
    state = (state ^ start) * wide(0xBF58476D1CE4E5B9)
    return int((state ^ (state >> wide(32))) >> wide(34))
