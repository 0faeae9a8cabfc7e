"""functools: reduce and cmp_to_key."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar, cast

from meshext_wasm.library.builtins.adapters import iterator_of

S = TypeVar("S")
T = TypeVar("T")


def reduce(function: Callable[[S, T], S], items: Iterable[T], initial: S, /) -> S:
    """What a function makes of all items, one after the other, beginning with `initial`."""
    result = initial
    source = iterator_of(items)
    while source.advance():
        result = function(result, source.current)
    return result


def reduce_own(function: Callable[[T, T], T], items: Iterable[T], /) -> T:
    """The same without `initial`: beginning with the first item."""
    source = iterator_of(items)
    if not source.advance():
        raise TypeError("reduce() of empty iterable with no initial value")
    result = source.current
    while source.advance():
        result = function(result, source.current)
    return result


class Compared(Generic[T]):
    """A key that is ordered by a function of two items."""

    item: T
    compare: Callable[[T, T], int]

    def __init__(self, item: T, compare: Callable[[T, T], int]) -> None:
        self.item = item
        self.compare = compare

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Compared):
            return NotImplemented
        compare = self.compare
        return compare(self.item, cast("Compared[T]", other).item) < 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Compared):
            return NotImplemented
        compare = self.compare
        return compare(self.item, cast("Compared[T]", other).item) == 0

    def __hash__(self) -> int:
        raise TypeError("unhashable type: 'functools.KeyWrapper'")


def cmp_to_key(mycmp: Callable[[T, T], int]) -> Callable[[T], object]:
    """A key for `sort` out of a function that says which of two items comes first."""

    def key(item: T) -> object:
        return Compared(item, mycmp)

    return key
