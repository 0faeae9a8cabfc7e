"""Hashes as raw numbers: what dicts, sets and tuples compute with.

Equal values have the same hash whatever their class, as CPython demands of int, float and bool; those of
ints, floats and tuples of them are CPython's own.
"""

from __future__ import annotations

from meshext_wasm.library.builtins.objects import hash_of
from meshext_wasm.library.builtins.text import hash_text
from meshext_wasm.library.raw import (
    array_get,
    array_length,
    int_is_small,
    int_small,
    load32,
    load64,
    value_address,
    wide,
    word,
)


def hash_wide(value: object) -> wide:
    """The hash of any value in 64 bits, without making an int of it where that is easy."""
    if isinstance(value, str):
        return wide(hash_text(value))
    if isinstance(value, tuple):
        return hash_tuple(value)
    return wide_of_hash(hash_of(value))


def wide_of_hash(number: int) -> wide:
    """The low 64 bits of what a `__hash__` gave."""
    if int_is_small(number):
        return int_small(number)
    if isinstance(number, bool):
        return wide(1) if number else wide(0)
    address = value_address(number)
    low = load64(address + word(16))
    return wide(0) - low if load32(address + word(8)) != word(0) else low


def int_of_hash(number: wide) -> int:
    """The int of 64 bits, with their sign."""
    result = int(number)
    return result - (1 << 64) if result >= 1 << 63 else result


def hash_tuple(items: tuple[object, ...]) -> wide:
    """By the rule of CPython's (xxHash over the hashes of the items)."""
    result = wide(2870177450012600261)
    length = array_length(items)
    index = word(0)
    while index < length:
        result = result + hash_wide(array_get(items, index)) * wide(14029467366897019727)
        result = (result << wide(31)) | (result >> wide(33))
        result = result * wide(11400714785074694791)
        index = index + word(1)
    result = result + (wide(length) ^ wide(2870177450013471926))
    return wide(1546275796) if result == wide(18446744073709551615) else result


def hash_word(value: object) -> word:
    """The hash of any value in 30 bits, well mixed: what tables are indexed by."""
    mixed = hash_wide(value) * wide(11400714819323198485)
    return word(mixed >> wide(34))
