"""zlib: its checksums."""

from __future__ import annotations

from meshext_wasm.library.binascii import crc32

__all__ = ["crc32"]

LARGEST_PRIME = 65521


def adler32(data: bytes, value: int = 1, /) -> int:
    """The checksum of RFC 1950."""
    low, high = (value & 0xFFFF) % LARGEST_PRIME, (value >> 16 & 0xFFFF) % LARGEST_PRIME
    for byte in data:
        low = (low + byte) % LARGEST_PRIME
        high = (high + low) % LARGEST_PRIME
    return high << 16 | low
