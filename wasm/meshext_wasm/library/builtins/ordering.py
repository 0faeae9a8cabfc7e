"""Sorting and comparing arrays of values.

The sort is a stable merge sort of runs. Within a run it asks `<` in the order in which CPython's does, so
that values without an order give the same TypeError.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from meshext_wasm.library.builtins.arrays import new_array, stretch
from meshext_wasm.library.builtins.objects import less, same_or_equal
from meshext_wasm.library.raw import array, array_get, array_set, budget_charge, word

T = TypeVar("T")


def compare_items(left: array[T], left_length: int, right: array[T], right_length: int) -> int:
    """Below 0, 0 or above 0: the first slots that differ decide, then the lengths."""
    index = 0
    while index < left_length and index < right_length:
        mine, other = array_get(left, word(index)), array_get(right, word(index))
        if not same_or_equal(mine, other):
            return -1 if less(mine, other) else 1
        index += 1
    return left_length - right_length


def sort_items(items: array[T], count: int, key: Callable[[T], object] | None, reverse: bool) -> array[T]:
    """A new array of the first slots in order; by their keys where there is `key`."""
    values = stretch(items, 0, 1, count)
    if reverse:
        turn(values, 0, count)
    keys = cast("array[object]", values)
    if key is not None:
        keys = new_array(count)
        for index in range(count):
            place = count - 1 - index if reverse else index
            array_set(keys, word(place), key(array_get(values, word(place))))
    Sort(keys, cast("array[object]", values), count).run()
    if reverse:
        turn(values, 0, count)
    return values


def turn(items: array[T], start: int, end: int) -> None:
    """Reverse the slots from `start` up to `end`."""
    low, high = start, end - 1
    while low < high:
        item = array_get(items, word(low))
        array_set(items, word(low), array_get(items, word(high)))
        array_set(items, word(high), item)
        low += 1
        high -= 1


class Sort:
    """One sort: the keys that are compared and the values that move with them, maybe the same array."""

    keys: array[object]
    values: array[object]
    count: int
    paired: bool

    def __init__(self, keys: array[object], values: array[object], count: int) -> None:
        self.keys = keys
        self.values = values
        self.count = count
        self.paired = keys is not values

    def run(self) -> None:
        """Sort: runs of a least size first, then merges of neighbours."""
        size = least_run(self.count)
        start = 0
        while start < self.count:
            end = start + size if start + size < self.count else self.count
            self.sort_run(start, end)
            start = end
        while size < self.count:
            start = 0
            while start + size < self.count:
                middle = start + size
                self.merge(start, middle, middle + size if middle + size < self.count else self.count)
                start = middle + size
            size *= 2

    def is_less(self, left: int, right: int) -> bool:
        """Whether the key in one place is less than that in another."""
        return less(array_get(self.keys, word(left)), array_get(self.keys, word(right)))

    def sort_run(self, start: int, end: int) -> None:
        """Sort a short stretch: what stands in order at its beginning, then binary insertion."""
        place = start + 1
        if place >= end:
            return
        if self.is_less(place, place - 1):
            place += 1
            while place < end and self.is_less(place, place - 1):
                place += 1
            turn(self.keys, start, place)
            if self.paired:
                turn(self.values, start, place)
        else:
            place += 1
            while place < end and not self.is_less(place, place - 1):
                place += 1
        while place < end:
            self.insert(start, place)
            place += 1

    def insert(self, start: int, place: int) -> None:
        """Move the item in `place` to where it belongs in the sorted stretch before it."""
        key, value = array_get(self.keys, word(place)), array_get(self.values, word(place))
        low, high = start, place
        while low < high:
            middle = (low + high) // 2
            if less(key, array_get(self.keys, word(middle))):
                high = middle
            else:
                low = middle + 1
        shift_in(self.keys, low, place, key)
        if self.paired:
            shift_in(self.values, low, place, value)

    def merge(self, start: int, middle: int, end: int) -> None:
        """Merge two sorted neighbours."""
        budget_charge(word(end - start))
        keys = stretch(self.keys, start, 1, middle - start)
        values = stretch(self.values, start, 1, middle - start) if self.paired else keys
        left, right, place = 0, middle, start
        while left < middle - start:
            if right < end and less(array_get(self.keys, word(right)), array_get(keys, word(left))):
                self.move(self.keys, self.values, right, place)
                right += 1
            else:
                self.move(keys, values, left, place)
                left += 1
            place += 1

    def move(self, keys: array[object], values: array[object], source: int, place: int) -> None:
        """Write a key and its value to a place."""
        array_set(self.keys, word(place), array_get(keys, word(source)))
        if self.paired:
            array_set(self.values, word(place), array_get(values, word(source)))


def shift_in(items: array[object], low: int, place: int, item: object) -> None:
    """Put an item into `low` and move what stands from there up to `place` one up."""
    index = place
    while index > low:
        array_set(items, word(index), array_get(items, word(index - 1)))
        index -= 1
    array_set(items, word(low), item)


def least_run(count: int) -> int:
    """The length of the runs that insertion sorts: from 32 to 64."""
    odd = 0
    while count >= 64:
        odd |= count & 1
        count >>= 1
    return count + odd
