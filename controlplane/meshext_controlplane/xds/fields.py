"""Protobuf fields with a length, put together from bytes that are encoded already.

A resource's body is the greatest part of a response and is the same for all proxies: nothing is parsed or
encoded again for a push.
"""

from __future__ import annotations

IDENTIFIER = "meshext"
"""What responses say of who sends them (`control_plane.identifier`)."""

_ONE_BYTE = tuple(bytes([number]) for number in range(128))


def tag(number: int) -> bytes:
    """The key of a field with a length (wire type 2), of number 1 to 15."""
    return _ONE_BYTE[number << 3 | 2]


def varint(number: int) -> bytes:
    """A length, as protobuf writes it."""
    if number < 128:
        return _ONE_BYTE[number]
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)


def field(key: bytes, value: bytes) -> bytes:
    """A whole field."""
    return b"".join((key, varint(len(value)), value))
