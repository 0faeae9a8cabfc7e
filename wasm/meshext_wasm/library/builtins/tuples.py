"""tuple: an array that is never written again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar, cast

from meshext_wasm.library.builtins.arrays import copy_items, fill_repeated, fill_stretch, finished, new_tuple
from meshext_wasm.library.builtins.hashing import hash_tuple, int_of_hash
from meshext_wasm.library.builtins.indices import (
    bound,
    count_of,
    place_of,
    start_of,
    step_of,
    stop_of,
    times_of,
)
from meshext_wasm.library.builtins.iteration import ArrayIterator, Iterator, Sequence
from meshext_wasm.library.builtins.lists import List
from meshext_wasm.library.builtins.objects import same_or_equal
from meshext_wasm.library.builtins.ordering import compare_items
from meshext_wasm.library.builtins.printing import PRINTING
from meshext_wasm.library.builtins.text import join_between
from meshext_wasm.library.raw import (
    array,
    array_get,
    array_length,
    builtin,
    constructor,
    method,
    word,
)

T = TypeVar("T")


@builtin("tuple")
class Tuple(Sequence[T]):
    """Items that stay."""


@constructor(tuple)
def tuple_of(items: Iterable[T] = (), /) -> tuple[T, ...]:
    """`tuple(items)`."""
    if isinstance(items, tuple):
        return items
    kept = List(items)
    result: array[T] = new_tuple(kept.length)
    copy_items(kept.items, 0, result, 0, kept.length)
    return finished(result)


def slots_of(items: tuple[T, ...]) -> array[T]:
    """A tuple as the array that it is."""
    return cast("array[T]", items)


@method(tuple, "__len__")
def length_of_tuple(items: tuple[T, ...]) -> int:
    """`len(items)`."""
    return int(array_length(items))


@method(tuple, "__bool__")
def is_tuple_filled(items: tuple[T, ...]) -> bool:
    """Whether there is an item."""
    return array_length(items) != word(0)


@method(tuple, "__iter__")
def iterate_tuple(items: tuple[T, ...]) -> Iterator[T]:
    """Over the items."""
    return ArrayIterator(slots_of(items), 0, int(array_length(items)))


@method(tuple, "__getitem__")
def item_of_tuple(items: tuple[T, ...], index: int) -> T:
    """`items[index]`."""
    place = place_of(index, int(array_length(items)), "tuple", "tuple index out of range")
    return array_get(items, word(place))


@method(tuple, "__getslice__")
def slice_of_tuple(
    items: tuple[T, ...], start: int | None, stop: int | None, step: int | None
) -> tuple[T, ...]:
    """`items[start:stop:step]`."""
    length, by = int(array_length(items)), step_of(step)
    first = start_of(start, by, length)
    count = count_of(first, stop_of(stop, by, length), by)
    if count == length and by == 1:
        return items
    result: array[T] = new_tuple(count)
    fill_stretch(slots_of(items), first, by, count, result)
    return finished(result)


@method(tuple, "__add__")
def add_tuple(items: tuple[T, ...], other: tuple[T, ...]) -> tuple[T, ...]:
    """`items + other`."""
    mine, more = int(array_length(items)), int(array_length(other))
    result: array[T] = new_tuple(mine + more)
    copy_items(slots_of(items), 0, result, 0, mine)
    copy_items(slots_of(other), 0, result, mine, more)
    return finished(result)


@method(tuple, "__mul__")
def multiply_tuple(items: tuple[T, ...], times: int) -> tuple[T, ...]:
    """`items * times`."""
    length = int(array_length(items))
    count = times_of(times)
    result: array[T] = new_tuple(length * count)
    fill_repeated(slots_of(items), length, count if length > 0 else 0, result)
    return finished(result)


@method(tuple, "__rmul__")
def multiply_tuple_reflected(items: tuple[T, ...], times: int) -> tuple[T, ...]:
    """`times * items`."""
    return multiply_tuple(items, times)


@method(tuple, "__contains__")
def contains_in_tuple(items: tuple[T, ...], item: object) -> bool:
    """`item in items`."""
    return find_in_tuple(items, item, 0, int(array_length(items))) >= 0


def find_in_tuple(items: tuple[T, ...], item: object, start: int, stop: int) -> int:
    """The place of the first equal item in a range of places, or -1."""
    for index in range(start, stop):
        if same_or_equal(array_get(items, word(index)), item):
            return index
    return -1


@method(tuple, "index")
def index_in_tuple(
    items: tuple[T, ...], item: object, start: int = 0, stop: int = 9223372036854775807, /
) -> int:
    """Where the first equal item stands."""
    length = int(array_length(items))
    place = find_in_tuple(items, item, bound(start, length, 0), bound(stop, length, 0))
    if place < 0:
        raise ValueError("tuple.index(x): x not in tuple")
    return place


@method(tuple, "count")
def count_in_tuple(items: tuple[T, ...], item: object, /) -> int:
    """How many items are equal."""
    found = 0
    for index in range(int(array_length(items))):
        if same_or_equal(array_get(items, word(index)), item):
            found += 1
    return found


@method(tuple, "__eq__")
def equal_tuple(items: tuple[T, ...], other: object) -> bool:
    """`items == other`."""
    return has_equal_items(items, other) if isinstance(other, tuple) else NotImplemented


def has_equal_items(items: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """Whether two tuples hold the same, one by one."""
    length = int(array_length(items))
    if length != int(array_length(other)):
        return False
    for index in range(length):
        if not same_or_equal(array_get(items, word(index)), array_get(other, word(index))):
            return False
    return True


def compare_tuples(items: tuple[T, ...], other: tuple[T, ...]) -> int:
    """Below 0, 0 or above 0."""
    mine, more = int(array_length(items)), int(array_length(other))
    return compare_items(slots_of(items), mine, slots_of(other), more)


@method(tuple, "__lt__")
def less_tuple(items: tuple[T, ...], other: object) -> bool:
    """`items < other`."""
    return (
        compare_tuples(items, cast("tuple[T, ...]", other)) < 0
        if isinstance(other, tuple)
        else NotImplemented
    )


@method(tuple, "__le__")
def less_equal_tuple(items: tuple[T, ...], other: object) -> bool:
    """`items <= other`."""
    return (
        compare_tuples(items, cast("tuple[T, ...]", other)) <= 0
        if isinstance(other, tuple)
        else NotImplemented
    )


@method(tuple, "__gt__")
def greater_tuple(items: tuple[T, ...], other: object) -> bool:
    """`items > other`."""
    return (
        compare_tuples(items, cast("tuple[T, ...]", other)) > 0
        if isinstance(other, tuple)
        else NotImplemented
    )


@method(tuple, "__ge__")
def greater_equal_tuple(items: tuple[T, ...], other: object) -> bool:
    """`items >= other`."""
    return (
        compare_tuples(items, cast("tuple[T, ...]", other)) >= 0
        if isinstance(other, tuple)
        else NotImplemented
    )


@method(tuple, "__hash__")
def hash_of_tuple(items: tuple[T, ...]) -> int:
    """`hash(items)`."""
    return int_of_hash(hash_tuple(items))


@method(tuple, "__repr__")
def repr_of_tuple(items: tuple[T, ...]) -> str:
    """`repr(items)`."""
    length = int(array_length(items))
    if length == 0:
        return "()"
    if not PRINTING.enters(items):
        return "(...)"
    try:
        parts: List[str] = List()
        for index in range(length):
            parts.append(repr(array_get(items, word(index))))
        inner = join_between(", ", parts.items, length)
        return f"({inner},)" if length == 1 else f"({inner})"
    finally:
        PRINTING.leaves()
