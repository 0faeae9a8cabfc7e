"""Indices and slices of sequences: what negative, missing and far ones mean.

A number may be True or False: adding to it makes an int of it, which a raw number needs.
"""

from __future__ import annotations

from typing import cast

from meshext_wasm.library.builtins.errors import bad_index
from meshext_wasm.library.raw import int_is_small, int_small, int_tag

NO_INDEX = "cannot fit 'int' into an index-sized integer"
LIMIT = 1 << 63


def fits(number: int) -> bool:
    """Whether a number is an index of a machine of 64 bits, which is where CPython's limits are."""
    return -LIMIT <= number < LIMIT


def size_of(number: int) -> int:
    """A width, limit or place, as the methods of CPython take them."""
    if not int_is_small(number) and not fits(number):
        raise OverflowError("Python int too large to convert to C ssize_t")
    return number + 0


def short_of(number: int) -> int:
    """A number where CPython has room for 32 bits only."""
    if number >= 1 << 31 or number < -(1 << 31):
        raise OverflowError("Python int too large to convert to C int")
    return number + 0


def times_of(number: int) -> int:
    """How often a sequence is repeated, or how long it is to be."""
    if not int_is_small(number) and not fits(number):
        raise OverflowError(NO_INDEX)
    return number + 0 if number > 0 else 0


def place_of(index: object, length: int, kind: str, failure: str) -> int:
    """The place that an index means, from 0.

    Args:
        index: what stands in the brackets.
        length: of the sequence.
        kind: of the sequence, as the TypeError for what is no int names it.
        failure: the text of the IndexError.
    """
    if int_is_small(index):
        at, end = int_small(cast(int, index)), int_small(length)
        if at < end:
            return cast(int, index)
        if at + end < end:  # a negative one is a large raw number, and the sum begins anew at 0
            return int_tag(at + end)
        raise IndexError(failure)
    if not isinstance(index, int):
        bad_index(kind, index)
    if not int_is_small(index) and kind != "range" and not fits(index):
        raise IndexError(NO_INDEX)
    place = index + (length if index < 0 else 0)
    if place < 0 or place >= length:
        raise IndexError(failure)
    return place


def bound(index: int | None, length: int, missing: int) -> int:
    """A bound of `find`, `index`, `startswith` and the like: clamped to 0 and at most the length."""
    if index is None:
        return missing
    place = index + (length if index < 0 else 0)
    if place < 0:
        return 0
    return length if place > length else place


def first_bound(index: int | None, length: int) -> int:
    """The lower bound of a search: clamped to 0, but a far one stays far, so that nothing is found there."""
    if index is None:
        return 0
    if index < 0:
        return index + length if index + length > 0 else 0
    return index + 0 if index <= length else length + 1


def step_of(step: int | None) -> int:
    """The step of a slice, clamped to what no sequence exceeds."""
    if step is None:
        return 1
    if step == 0:
        raise ValueError("slice step cannot be zero")
    if step > 1 << 32:
        return 1 << 32
    return -(1 << 32) if step < -(1 << 32) else step + 0


def start_of(start: int | None, step: int, length: int) -> int:
    """Where a slice begins; with a negative step from -1 to length - 1."""
    if start is None:
        return length - 1 if step < 0 else 0
    return clamped(start, step, length)


def stop_of(stop: int | None, step: int, length: int) -> int:
    """Where a slice ends, exclusive."""
    if stop is None:
        return -1 if step < 0 else length
    return clamped(stop, step, length)


def clamped(index: int, step: int, length: int) -> int:
    """A bound of a slice inside what its step can reach."""
    if index < 0:
        place = index + length
        if place < 0:
            return -1 if step < 0 else 0
        return place
    if index >= length:
        return length - 1 if step < 0 else length
    return index + 0


def count_of(start: int, stop: int, step: int) -> int:
    """How many items a slice has."""
    if step > 0:
        return (stop - start + step - 1) // step if stop > start else 0
    return (start - stop - step - 1) // -step if start > stop else 0
