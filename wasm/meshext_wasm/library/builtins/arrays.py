"""Raw arrays of values: making, copying and joining them. What lists, tuples, dicts and sets are made of."""

from __future__ import annotations

from typing import TypeVar

from meshext_wasm.library.raw import (
    array,
    array_get,
    array_new,
    array_set,
    budget_charge,
    class_descriptor,
    value_address,
    value_at,
    word,
)

T = TypeVar("T")

LARGEST = 1 << 26
"""Items that no container can have: their memory would not fit beside anything else."""


def new_array(slots: int) -> array[T]:
    """Every slot is None."""
    check_size(slots)
    return array_new(class_descriptor(array), word(slots))


def new_tuple(slots: int) -> array[T]:
    """The slots of a tuple that is being made; `finished` gives the tuple."""
    check_size(slots)
    return array_new(class_descriptor(tuple), word(slots))


def finished(items: array[T]) -> tuple[T, ...]:
    """The tuple whose slots are written."""
    return value_at(value_address(items))


def check_size(slots: int) -> None:
    """Charge the budget for so many slots, or say that there is no memory for them."""
    if slots > LARGEST:
        raise MemoryError
    budget_charge(word(slots))


def copy_items(source: array[T], start: int, to: array[T], place: int, count: int) -> None:
    """Copy slots between two arrays, or to a lower place of the same."""
    budget_charge(word(count))
    first, target = word(start), word(place)
    for index in range(count):
        array_set(to, target + word(index), array_get(source, first + word(index)))


def move_up(items: array[T], start: int, end: int, by: int) -> None:
    """Move the slots from `start` up to `end` to higher places of the same array."""
    if start < end:  # what goes through so much memory waits for it
        budget_charge(word(end - start) * word(5))
    for index in range(end - 1, start - 1, -1):
        array_set(items, word(index + by), array_get(items, word(index)))


def stretch(source: array[T], start: int, step: int, count: int) -> array[T]:
    """A new array of `count` slots, every `step`-th from `start`."""
    result: array[T] = new_array(count)
    fill_stretch(source, start, step, count, result)
    return result


def fill_stretch(source: array[T], start: int, step: int, count: int, result: array[T]) -> None:
    """Write `count` slots, every `step`-th of the source from `start`."""
    place = start
    for index in range(count):
        array_set(result, word(index), array_get(source, word(place)))
        place += step


def fill_repeated(source: array[T], count: int, times: int, result: array[T]) -> None:
    """Write the first `count` slots of the source so many times."""
    place = 0
    for _ in range(times):
        copy_items(source, 0, result, place, count)
        place += count
