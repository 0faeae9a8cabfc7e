"""heapq: a list whose first item is the least, laid out as CPython lays it out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from meshext_wasm.library.builtins.objects import less

T = TypeVar("T")
EMPTY = "index out of range"


def heappush(heap: list[T], item: T, /) -> None:
    """Put an item in."""
    heap.append(item)
    rise(heap, 0, len(heap) - 1)


def heappop(heap: list[T], /) -> T:
    """Take the least item out; IndexError where there is none."""
    if len(heap) == 0:
        raise IndexError(EMPTY)
    last = heap.pop()
    if len(heap) == 0:
        return last
    return heapreplace(heap, last)


def heapreplace(heap: list[T], item: T, /) -> T:
    """Take the least item out, then put another in; IndexError where there is none."""
    if len(heap) == 0:
        raise IndexError(EMPTY)
    least = heap[0]
    heap[0] = item
    sink(heap, 0)
    return least


def heappushpop(heap: list[T], item: T, /) -> T:
    """Put an item in, then take the least one out."""
    if len(heap) == 0 or not less(heap[0], item):
        return item
    return heapreplace(heap, item)


def heapify(heap: list[T], /) -> None:
    """Make a heap of any list."""
    for place in range(len(heap) // 2 - 1, -1, -1):
        sink(heap, place)


def nsmallest(n: int, iterable: Iterable[T], key: Callable[[T], Any] | None = None) -> list[T]:
    """The least items, in order."""
    if n <= 0:
        return []
    if key is None:
        return sorted(iterable)[:n]  # type: ignore[type-var]  # what can not be ordered raises
    return sorted(iterable, key=key)[:n]


def nlargest(n: int, iterable: Iterable[T], key: Callable[[T], Any] | None = None) -> list[T]:
    """The greatest items, the greatest first."""
    if n <= 0:
        return []
    if key is None:
        return sorted(iterable, reverse=True)[:n]  # type: ignore[type-var]  # what can not be ordered raises
    return sorted(iterable, key=key, reverse=True)[:n]


def rise(heap: list[T], start: int, place: int) -> None:
    """Move an item up to where its parent is not greater."""
    item = heap[place]
    while place > start:
        above = (place - 1) // 2
        if not less(item, heap[above]):
            break
        heap[place] = heap[above]
        place = above
    heap[place] = item


def sink(heap: list[T], place: int) -> None:
    """Move an item down to a leaf, the lesser child up each time, and from there to its place."""
    start, end, item = place, len(heap), heap[place]
    child = 2 * place + 1
    while child < end:
        other = child + 1
        if other < end and not less(heap[child], heap[other]):
            child = other
        heap[place] = heap[child]
        place = child
        child = 2 * place + 1
    heap[place] = item
    rise(heap, start, place)
