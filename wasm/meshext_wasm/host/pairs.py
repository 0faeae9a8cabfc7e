"""Header lines as the ABI carries them: count, lengths, then names and values, each with a NUL behind it."""

from __future__ import annotations

import struct
from collections.abc import Iterable

Pair = tuple[bytes, bytes]


def to_bytes(pairs: Iterable[Pair]) -> bytes:
    """The serialised form, little endian."""
    lines = list(pairs)
    head = struct.pack("<I", len(lines))
    sizes = b"".join(struct.pack("<II", len(name), len(value)) for name, value in lines)
    return head + sizes + b"".join(name + b"\0" + value + b"\0" for name, value in lines)


def from_bytes(data: bytes) -> list[Pair] | None:
    """The pairs, None where the bytes are none."""
    if len(data) < 4:
        return []
    [count] = struct.unpack_from("<I", data)
    at = 4 + 8 * count
    if at > len(data):
        return None
    found = []
    for number in range(count):
        name_size, value_size = struct.unpack_from("<II", data, 4 + 8 * number)
        middle = at + name_size + 1
        end = middle + value_size
        if end + 1 > len(data):
            return None
        found.append((data[at : middle - 1], data[middle:end]))
        at = end + 1
    return found
