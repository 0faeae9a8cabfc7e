"""Fields of a protobuf message as bytes, for answers that do nothing but write headers.

The library wants four objects for each header that is written, which is half of what such an answer costs.
Its fields are length-delimited ones inside each other, so they are joined here
(https://protobuf.dev/programming-guides/encoding/).
"""

from __future__ import annotations

from typing import Any

LENGTHS = tuple(bytes((length,)) for length in range(128))
"""Lengths that take one byte, as most do."""


def tag(message: Any, name: str) -> bytes:
    """What a length-delimited field of a message type begins with, by its name in the `.proto` file."""
    return varint(message.DESCRIPTOR.fields_by_name[name].number << 3 | 2)


def field(begins: bytes, content: bytes) -> bytes:
    """One length-delimited field: its tag, the length of what is in it, and that."""
    length = len(content)
    return begins + (LENGTHS[length] if length < 128 else varint(length)) + content


def varint(number: int) -> bytes:
    """A whole number, seven bits to a byte, the lowest first."""
    written = bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    written.append(number)
    return bytes(written)
