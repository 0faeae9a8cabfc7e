"""The hash table below dict and set: entries in the order in which they came, and an index into them.

An entry is three slots: hash, key, value; a removed one has None for its hash. The index is a power of two of
four-byte places, open addressing: 0 free, GONE for a removed entry, else the number of an entry plus 1.
"""

from __future__ import annotations

from typing import Generic, TypeVar, cast

from meshext_wasm.library.builtins.arrays import check_size, copy_items, new_array
from meshext_wasm.library.builtins.hashing import hash_word
from meshext_wasm.library.builtins.objects import equal
from meshext_wasm.library.builtins.text import same_text
from meshext_wasm.library.raw import (
    array,
    array_get,
    array_length,
    array_set,
    blob_new,
    class_descriptor,
    load32,
    memory_fill,
    store32,
    value_address,
    value_is,
    word,
)

K = TypeVar("K")
V = TypeVar("V")

SMALLEST = 8
GONE = 0xFFFFFFFF


def same_key(kept: object, key: object) -> bool:
    """Whether two keys are equal; most are texts."""
    if isinstance(kept, str) and isinstance(key, str):
        return same_text(kept, key)
    return equal(kept, key)


class Table(Generic[K, V]):
    """Keys and values: `used` entries live among the first `count`; `filled` places are not free."""

    index: object
    places: int
    entries: array[object]
    used: int
    count: int
    filled: int

    def __init__(self) -> None:
        self.reset(SMALLEST)

    def reset(self, places: int) -> None:
        """Nothing in it, with an index of so many places."""
        self.index = new_index(places)
        self.places = places
        self.entries = new_array(usable(places) * 3)
        self.used = 0
        self.count = 0
        self.filled = 0

    def find(self, key: object) -> int:
        """The number of the entry of a key, or -1."""
        return self.find_hashed(key, hash_word(key))

    def find_hashed(self, key: object, hashed: word) -> int:
        """The number of the entry of a key whose hash is known, or -1."""
        tag: object = int(hashed)
        entries, start, mask = self.entries, index_start(self.index), word(self.places - 1)
        place = hashed & mask
        number = load32(start + place * word(4))
        while number != word(0):
            slot = (number - word(1)) * word(3)
            if number != word(GONE) and value_is(array_get(entries, slot), tag):
                kept = array_get(entries, slot + word(1))
                if value_is(kept, key) or same_key(kept, key):
                    # A user's __eq__ may have changed the table meanwhile.
                    if not value_is(self.entries, entries):
                        return self.find_hashed(key, hashed)
                    return int(number) - 1
            place = (place + word(1)) & mask
            number = load32(start + place * word(4))
        return -1

    def put(self, key: K, value: V) -> None:
        """Give a key a value; the key that came first stays."""
        hashed = hash_word(key)
        number = self.find_hashed(key, hashed)
        if number >= 0:
            array_set(self.entries, word(number * 3 + 2), value)
        else:
            self.insert(hashed, key, value)

    def insert(self, hashed: word, key: K, value: V) -> None:
        """Add a key that is not in the table."""
        if self.filled >= usable(self.places) or self.count * 3 >= int(array_length(self.entries)):
            self.rebuild()
        start, mask = index_start(self.index), word(self.places - 1)
        place = free_place(start, mask, hashed)
        if load32(start + place * word(4)) == word(0):
            self.filled += 1
        slot = word(self.count * 3)
        self.count += 1
        self.used += 1
        store32(start + place * word(4), word(self.count))
        array_set(self.entries, slot, int(hashed))
        array_set(self.entries, slot + word(1), key)
        array_set(self.entries, slot + word(2), value)

    def rebuild(self) -> None:
        """Make the table anew with twice the room that its entries need."""
        entries, count = self.entries, self.count
        places = SMALLEST
        while usable(places) < self.used * 2 + 1:
            places *= 2
        self.reset(places)
        start, mask = index_start(self.index), word(places - 1)
        for number in range(count):
            hashed = array_get(entries, word(number * 3))
            if hashed is not None:
                place = free_place(start, mask, word(cast(int, hashed)))
                copy_items(entries, number * 3, self.entries, self.count * 3, 3)
                self.count += 1
                store32(start + place * word(4), word(self.count))
        self.used = self.count
        self.filled = self.count

    def remove(self, number: int) -> None:
        """Take an entry out."""
        start, mask = index_start(self.index), word(self.places - 1)
        place = word(cast(int, array_get(self.entries, word(number * 3)))) & mask
        while load32(start + place * word(4)) != word(number + 1):
            place = (place + word(1)) & mask
        store32(start + place * word(4), word(GONE))
        for slot in range(number * 3, number * 3 + 3):
            array_set(self.entries, word(slot), None)
        self.used -= 1
        while self.count > 0 and array_get(self.entries, word(self.count * 3 - 3)) is None:
            self.count -= 1

    def next_from(self, number: int) -> int:
        """The number of the next entry that lives, from this one on, or -1."""
        while number < self.count:
            if array_get(self.entries, word(number * 3)) is not None:
                return number
            number += 1
        return -1

    def key_of(self, number: int) -> K:
        """The key of an entry."""
        return cast(K, array_get(self.entries, word(number * 3 + 1)))

    def value_of(self, number: int) -> V:
        """The value of an entry."""
        return cast(V, array_get(self.entries, word(number * 3 + 2)))

    def set_value(self, number: int, value: V) -> None:
        """Another value for an entry."""
        array_set(self.entries, word(number * 3 + 2), value)

    def copy(self) -> Table[K, V]:
        """A table of the same entries."""
        result: Table[K, V] = Table()
        result.add_all(self)
        return result

    def add_all(self, other: Table[K, V]) -> None:
        """Put every entry of another table."""
        number = other.next_from(0)
        while number >= 0:
            self.put(other.key_of(number), other.value_of(number))
            number = other.next_from(number + 1)


def usable(places: int) -> int:
    """How many places of an index may be filled."""
    return places * 2 // 3


def new_index(places: int) -> object:
    """An index with every place free: a bytes object that nobody else sees."""
    check_size(places)
    size = word(places * 4)
    result: object = blob_new(class_descriptor(bytes), size + word(8))
    address = value_address(result)
    store32(address + word(8), size)
    store32(address + word(12), word(0))
    memory_fill(address + word(16), word(0), size)
    return result


def index_start(index: object) -> word:
    """Address of an index's first place."""
    return value_address(index) + word(16)


def free_place(start: word, mask: word, hashed: word) -> word:
    """The first place for a hash that is free or was left."""
    place = hashed & mask
    number = load32(start + place * word(4))
    while number != word(0) and number != word(GONE):
        place = (place + word(1)) & mask
        number = load32(start + place * word(4))
    return place
