"""Bytes turned around, bits rotated."""

from __future__ import annotations

from meshext_wasm.library.raw import inline, load32, load64, nothrow, value_address, wide, word


@inline
@nothrow
def load_big(address: word) -> word:
    """Four bytes, the first one highest."""
    value = load32(address)
    return swapped(value)


@inline
@nothrow
def swapped(value: word) -> word:
    """The bytes in reverse order."""
    return (value << 24) | ((value & 0xFF00) << 8) | ((value >> 8) & 0xFF00) | (value >> 24)


@inline
@nothrow
def load_big_wide(address: word) -> wide:
    """Eight bytes, the first one highest."""
    return swapped_wide(load64(address))


@inline
@nothrow
def swapped_wide(value: wide) -> wide:
    """The bytes in reverse order."""
    return (wide(swapped(word(value))) << 32) | wide(swapped(word(value >> 32)))


@inline
@nothrow
def rotated(value: word, count: word) -> word:
    """Bits rotated to the right, by 1 to 31."""
    return (value >> count) | (value << (word(32) - count))


@inline
@nothrow
def rotated_wide(value: wide, count: wide) -> wide:
    """Bits rotated to the right, by 1 to 63."""
    return (value >> count) | (value << (wide(64) - count))


@nothrow
def table(data: bytes) -> word:
    """Where the bytes of a table stand."""
    return value_address(data) + 16
