"""The built-in functions over what can be iterated: sorted, min, max, sum, any, all, iter, next, reversed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar, cast

from meshext_wasm.library.builtins.adapters import iterator_of
from meshext_wasm.library.builtins.dict_views import DictItems, DictKeys, DictValues
from meshext_wasm.library.builtins.dicts import Dict
from meshext_wasm.library.builtins.iteration import Iterator, Sequence
from meshext_wasm.library.builtins.lists import List
from meshext_wasm.library.builtins.objects import greater, less
from meshext_wasm.library.raw import alternative

T = TypeVar("T")
D = TypeVar("D")
K = TypeVar("K")
V = TypeVar("V")


@alternative("sorted")
def sorted_of(
    items: Iterable[T], /, *, key: Callable[[T], object] | None = None, reverse: bool = False
) -> List[T]:
    """A new list in order, stably."""
    result = List(items)
    result.sort(key=key, reverse=reverse)
    return result


class Best:
    """The item so far whose key is the least, or the greatest."""

    found: bool
    item: object
    key: object
    most: bool

    def __init__(self, most: bool) -> None:
        self.most = most
        self.found = False
        self.item = None
        self.key = None

    def try_item(self, item: object, key: object) -> None:
        """Take an item if it is better; the first of equal ones stays."""
        if not self.found:
            better = True
        else:
            better = greater(key, self.key) if self.most else less(key, self.key)
        if better:
            self.found = True
            self.item = item
            self.key = key


def best_of(items: Iterable[T], key: Callable[[T], object] | None, most: bool) -> Best:
    """The best of the items."""
    best = Best(most)
    for each in items:
        best.try_item(each, each if key is None else key(each))
    return best


def best_item(items: Iterable[T], key: Callable[[T], object] | None, most: bool) -> T:
    """The best of at least one item."""
    best = best_of(items, key, most)
    if not best.found:
        raise ValueError("max() arg is an empty sequence" if most else "min() arg is an empty sequence")
    return cast(T, best.item)


@alternative("min")
def min_of_items(items: Iterable[T], /, *, key: Callable[[T], object] | None = None) -> T:
    """The least of the items."""
    return best_item(items, key, False)


@alternative("min")
def min_or_default(items: Iterable[T], /, *, key: Callable[[T], object] | None = None, default: D) -> T | D:
    """The least of the items; the default when there is none."""
    best = best_of(items, key, False)
    return cast(T, best.item) if best.found else default


@alternative("min")
def min_of_several(first: T, second: T, /, *others: T, key: Callable[[T], object] | None = None) -> T:
    """The least of the arguments."""
    return best_item(gathered(first, second, others), key, False)


@alternative("max")
def max_of_items(items: Iterable[T], /, *, key: Callable[[T], object] | None = None) -> T:
    """The greatest of the items."""
    return best_item(items, key, True)


@alternative("max")
def max_or_default(items: Iterable[T], /, *, key: Callable[[T], object] | None = None, default: D) -> T | D:
    """The greatest of the items; the default when there is none."""
    best = best_of(items, key, True)
    return cast(T, best.item) if best.found else default


@alternative("max")
def max_of_several(first: T, second: T, /, *others: T, key: Callable[[T], object] | None = None) -> T:
    """The greatest of the arguments."""
    return best_item(gathered(first, second, others), key, True)


def gathered(first: T, second: T, others: tuple[T, ...]) -> List[T]:
    """All arguments in a list."""
    result: List[T] = List()
    result.append(first)
    result.append(second)
    result.extend(others)
    return result


@alternative("sum")
def sum_of_ints(items: Iterable[int], /, start: int = 0) -> int:
    """All ints together."""
    total = start
    for each in items:
        total = total + each
    return total


@alternative("sum")
def sum_of_numbers(items: Iterable[float], /, start: float = 0) -> float:
    """All numbers together, one after the other."""
    total = start
    for each in items:
        total = total + each
    return total


@alternative("any")
def any_of(items: Iterable[object], /) -> bool:
    """Whether an item is true."""
    for each in items:
        if each:
            return True
    return False


@alternative("all")
def all_of(items: Iterable[object], /) -> bool:
    """Whether no item is false."""
    for each in items:
        if not each:
            return False
    return True


@alternative("iter")
def iter_of(items: Iterable[T], /) -> Iterator[T]:
    """What goes over the items."""
    return iterator_of(items)


@alternative("next")
def next_of(items: Iterator[T], /) -> T:
    """The next item."""
    return items.__next__()


@alternative("next")
def next_or(items: Iterator[T], default: D, /) -> T | D:
    """The next item, or the default."""
    return items.current if items.advance() else default


@alternative("reversed")
def reversed_list(items: List[T], /) -> Iterator[T]:
    """A list from its end."""
    return items.__reversed__()


@alternative("reversed")
def reversed_sequence(items: Sequence[T], /) -> Iterator[T]:
    """Any other sequence from its end."""
    return List(items).__reversed__()


@alternative("reversed")
def reversed_dict(items: Dict[K, V], /) -> Iterator[K]:
    """The keys, the last one first."""
    return List(items).__reversed__()


@alternative("reversed")
def reversed_keys(items: DictKeys[K, V], /) -> Iterator[K]:
    """The keys, the last one first."""
    return List(items).__reversed__()


@alternative("reversed")
def reversed_values(items: DictValues[K, V], /) -> Iterator[V]:
    """The values, the last one first."""
    return List(items).__reversed__()


@alternative("reversed")
def reversed_items(items: DictItems[K, V], /) -> Iterator[tuple[K, V]]:
    """The pairs, the last one first."""
    return List(items).__reversed__()
