"""Making a str character by character."""

from __future__ import annotations

from meshext_wasm.library.builtins.text import LONGEST, UCS4, from_points, text_kind, text_length
from meshext_wasm.library.raw import (
    blob_new,
    budget_charge,
    class_descriptor,
    load8,
    load32,
    memory_copy,
    store32,
    value_address,
    word,
)


class TextBuilder:
    """Code points of four bytes in a block that grows; `finish` gives the str."""

    block: int
    room: int
    count: int

    def __init__(self) -> None:
        self.block = int(new_block(word(16)))
        self.room = 16
        self.count = 0

    def add(self, point: int) -> None:
        """Append a code point."""
        if self.count == self.room:
            self.grow(self.count + 1)
        store32(word(self.block) + word(self.count) * word(4), word(point))
        self.count += 1

    def add_text(self, text: str) -> None:
        """Append a whole str."""
        self.add_part(text, 0, len(text))

    def add_part(self, text: str, start: int, stop: int) -> None:
        """Append the characters of a str from `start` up to `stop`."""
        if stop - start > self.room - self.count:
            self.grow(self.count + stop - start)
        source = value_address(text) + word(24)
        place = word(self.block) + word(self.count) * word(4)
        if text_kind(value_address(text)) == word(UCS4):
            memory_copy(place, source + word(start) * word(4), word(stop - start) * word(4))
        else:
            for index in range(start, stop):
                store32(place, load8(source + word(index)))
                place = place + word(4)
        self.count += stop - start

    def last(self) -> int:
        """The code point that was added last."""
        return int(load32(word(self.block) + word(self.count - 1) * word(4)))

    def replace_last(self, point: int) -> None:
        """Write another code point in place of the last one."""
        store32(word(self.block) + word(self.count - 1) * word(4), word(point))

    def grow(self, wanted: int) -> None:
        """Move to a larger block."""
        room = wanted + wanted // 2 + 16
        if room > LONGEST:
            raise MemoryError
        block = new_block(word(room))
        memory_copy(block, word(self.block), word(self.count) * word(4))
        self.block = int(block)
        self.room = room

    def finish(self) -> str:
        """The str of all code points."""
        return from_points(word(self.block), word(self.count))


def new_block(count: word) -> word:
    """Address of so many four-byte slots, inside a bytes object that nobody else sees.

    Nothing is collected within a callback, and a builder does not outlive one, so its address is enough.
    """
    budget_charge(count >> word(2))
    size = count * word(4)
    address = value_address(blob_new(class_descriptor(bytes), size + word(8)))
    store32(address + word(8), size)
    store32(address + word(12), word(0))
    return address + word(16)


def length_in(text: str) -> word:
    """Characters of a str, raw."""
    return text_length(value_address(text))
