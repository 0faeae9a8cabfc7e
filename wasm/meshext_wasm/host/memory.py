"""Linear memory as the host functions see it; wasmtime's, or that of the library under CPython."""

from __future__ import annotations

import struct
from typing import Protocol


class OutOfBounds(Exception):
    """An address beyond the memory; a status for the module, no trap."""


class Memory(Protocol):
    """What the host needs of a guest's memory."""

    def read(self, address: int, length: int) -> bytes:
        """Bytes; OutOfBounds where they are not there."""

    def write(self, address: int, data: bytes) -> None:
        """Put bytes there; OutOfBounds where there is no room."""

    def allocate(self, size: int) -> int:
        """Memory of the guest's own, by the allocator that it exports."""


def write_word(memory: Memory, address: int, value: int) -> None:
    """A 32-bit number."""
    memory.write(address, struct.pack("<I", value & 0xFFFFFFFF))


def write_wide(memory: Memory, address: int, value: int) -> None:
    """A 64-bit number."""
    memory.write(address, struct.pack("<Q", value & 0xFFFFFFFFFFFFFFFF))


def hand_over(memory: Memory, data: bytes, address_at: int, length_at: int) -> None:
    """Copy bytes into memory of the guest, and say where; nothing is allocated for none."""
    place = memory.allocate(len(data)) if data else 0
    if data:
        memory.write(place, data)
    write_word(memory, address_at, place)
    write_word(memory, length_at, len(data))
