"""bytes at the bottom: its layout in memory, making, joining, cutting and comparing.

A bytes object is a blob: at +8 the length, +12 the hash or 0, +16 the bytes.
"""

from __future__ import annotations

from meshext_wasm.library.raw import (
    blob_new,
    budget_charge,
    budget_left,
    budget_set,
    class_descriptor,
    heap_base,
    load8,
    load32,
    memory_copy,
    memory_equal,
    memory_fill,
    store8,
    store32,
    value_address,
    value_at,
    wide,
    word,
)

LONGEST = 1 << 28
"""Bytes that no object can have: their memory would not fit beside anything else."""


def new_bytes(length: int) -> word:
    """Address of a new bytes object whose bytes are to be written."""
    if length > LONGEST:
        raise MemoryError
    budget_charge(word(length) >> word(4))
    address = value_address(blob_new(class_descriptor(bytes), word(length) + word(8)))
    store32(address + word(8), word(length))
    store32(address + word(12), word(0))
    return address


def data_of(data: bytes) -> word:
    """Address of the first byte."""
    return value_address(data) + word(16)


def length_of(data: bytes) -> int:
    """How many bytes."""
    return int(load32(value_address(data) + word(8)))


def byte_at(data: bytes, index: int) -> int:
    """A byte; the index is not checked."""
    return int(load8(data_of(data) + word(index)))


def copied(start: word, length: int) -> bytes:
    """The bytes of a stretch of memory."""
    address = new_bytes(length)
    memory_copy(address + word(16), start, word(length))
    return value_at(address)


def bytes_piece(data: bytes, start: int, stop: int) -> bytes:
    """The bytes from `start` up to `stop`, both inside."""
    if start >= stop:
        return b""
    if stop - start == length_of(data):
        return data
    return copied(data_of(data) + word(start), stop - start)


def concat_bytes(left: bytes, right: bytes) -> bytes:
    """One after the other."""
    mine, more = length_of(left), length_of(right)
    if mine == 0:
        return right
    if more == 0:
        return left
    address = new_bytes(mine + more)
    memory_copy(address + word(16), data_of(left), word(mine))
    memory_copy(address + word(16 + mine), data_of(right), word(more))
    return value_at(address)


def repeated_bytes(data: bytes, times: int) -> bytes:
    """So many copies."""
    length = length_of(data)
    if times <= 0 or length == 0:
        return b""
    if times > LONGEST and length * times >= 1 << 63:
        raise OverflowError("repeated bytes are too long")
    address = new_bytes(length * times)
    if length == 1:
        memory_fill(address + word(16), load8(data_of(data)), word(times))
        return value_at(address)
    for index in range(times):
        memory_copy(address + word(16 + index * length), data_of(data), word(length))
    return value_at(address)


def same_bytes(left: bytes, right: bytes) -> bool:
    """Whether two hold the same bytes."""
    length = length_of(left)
    if length != length_of(right):
        return False
    budget_set(budget_left() - wide(word(length) >> word(2)))  # as in `same_text`
    return memory_equal(data_of(left), data_of(right), word(length))


def compare_bytes(left: bytes, right: bytes) -> int:
    """Below 0, 0 or above 0."""
    mine, other = length_of(left), length_of(right)
    index = 0
    while index < mine and index < other:
        one, two = byte_at(left, index), byte_at(right, index)
        if one != two:
            return one - two
        index += 1
    return mine - other


def hash_bytes(data: bytes) -> word:
    """The hash: FNV-1a, never 0; kept in the object."""
    address = value_address(data)
    known = load32(address + word(12))
    if known != word(0):
        return known
    result = word(2166136261)
    end = address + word(16) + load32(address + word(8))
    place = address + word(16)
    while place < end:
        result = (result ^ load8(place)) * word(16777619)
        place = place + word(1)
    result = result ^ (result >> word(15))
    if result == word(0):
        result = word(1)
    if address >= heap_base():
        store32(address + word(12), result)
    return result


class BytesBuilder:
    """Bytes in a block that grows; `finish` gives the object. It does not outlive a callback."""

    block: int
    room: int
    count: int

    def __init__(self) -> None:
        self.block = int(new_bytes(64) + word(16))
        self.room = 64
        self.count = 0

    def add(self, byte: int) -> None:
        """Append a byte."""
        self.make_room(1)
        store8(word(self.block + self.count), word(byte))
        self.count += 1

    def add_part(self, data: bytes, start: int, stop: int) -> None:
        """Append the bytes from `start` up to `stop`."""
        self.make_room(stop - start)
        memory_copy(word(self.block + self.count), data_of(data) + word(start), word(stop - start))
        self.count += stop - start

    def make_room(self, more: int) -> None:
        """Move to a larger block when the next ones would not fit."""
        if self.count + more > self.room:
            self.room = (self.count + more) * 3 // 2 + 16
            block = new_bytes(self.room) + word(16)
            memory_copy(block, word(self.block), word(self.count))
            self.block = int(block)

    def finish(self) -> bytes:
        """The bytes."""
        return copied(word(self.block), self.count)
