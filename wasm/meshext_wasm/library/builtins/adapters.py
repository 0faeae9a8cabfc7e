"""enumerate, zip, map, filter, reversed: iterators over others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar, cast

from meshext_wasm.library.builtins.arrays import finished, new_tuple
from meshext_wasm.library.builtins.iteration import Iterator
from meshext_wasm.library.builtins.lists import List
from meshext_wasm.library.raw import (
    array,
    array_set,
    builtin,
    class_descriptor,
    constructor,
    instance_new,
    word,
)

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")
U = TypeVar("U")


def iterator_of(items: Iterable[T]) -> Iterator[T]:
    """What goes over an iterable."""
    return cast("Iterator[T]", items.__iter__())


@builtin("enumerate")
class Enumerate(Iterator[tuple[int, T]]):
    """Items with their numbers."""

    source: Iterator[T]
    number: int

    def __init__(self, items: Iterable[T], start: int = 0) -> None:
        self.source = iterator_of(items)
        self.number = start

    def advance(self) -> bool:
        """Move to the next item."""
        if not self.source.advance():
            return False
        self.current = (self.number, self.source.current)
        self.number += 1
        return True


@builtin("zip")
class Zip(Iterator[T]):
    """One item of each at a time, as tuples."""

    sources: List[Iterator[object]]
    strict: bool

    def advance(self) -> bool:
        """Move all of them."""
        count = self.sources.length
        items: array[object] = new_tuple(count)
        for index in range(count):
            source = self.sources[index]
            if not source.advance():
                if self.strict:
                    self.check_ends(index)
                return False
            array_set(items, word(index), source.current)
        self.current = cast(T, finished(items))
        return count > 0

    def check_ends(self, index: int) -> None:
        """The one of this index has ended: so must all the others."""
        if index > 0:
            raise ValueError(f"zip() argument {index + 1} is shorter than {before(index)}")
        for other in range(1, self.sources.length):
            if self.sources[other].advance():
                raise ValueError(f"zip() argument {other + 1} is longer than {before(other)}")


def before(index: int) -> str:
    """How zip names the arguments before one."""
    return "argument 1" if index == 1 else f"arguments 1-{index}"


def zip_of(sources: List[Iterator[object]], strict: bool) -> Zip[T]:
    """A zip of iterators."""
    result: Zip[T] = instance_new(class_descriptor(Zip))
    result.sources = sources
    result.strict = strict
    return result


def listed(*items: Iterable[object]) -> List[Iterator[object]]:
    """The iterators of several."""
    result: List[Iterator[object]] = List()
    for each in items:
        result.append(iterator_of(each))
    return result


@constructor(zip)
def zip_two(first: Iterable[S], second: Iterable[T], /, *, strict: bool = False) -> Zip[tuple[S, T]]:
    """`zip(a, b)`."""
    return zip_of(listed(first, second), strict)


@constructor(zip)
def zip_three(
    first: Iterable[S], second: Iterable[T], third: Iterable[U], /, *, strict: bool = False
) -> Zip[tuple[S, T, U]]:
    """`zip(a, b, c)`."""
    return zip_of(listed(first, second, third), strict)


@constructor(zip)
def zip_any(*items: Iterable[T], strict: bool = False) -> Zip[tuple[T, ...]]:
    """`zip(...)` of any number."""
    sources: List[Iterator[object]] = List()
    for each in items:
        sources.append(iterator_of(each))
    return zip_of(sources, strict)


@builtin("map")
class Map(Iterator[R], Generic[T, R]):
    """A function of each item."""

    function: Callable[[T], R]
    source: Iterator[T]

    def __init__(self, function: Callable[[T], R], items: Iterable[T], /) -> None:
        self.function = function
        self.source = iterator_of(items)

    def advance(self) -> bool:
        """Move to the next item."""
        if not self.source.advance():
            return False
        self.current = self.function(self.source.current)
        return True


@builtin("filter")
class Filter(Iterator[T]):
    """The items for which a function is true; without one, those that are true."""

    test: Callable[[T], object] | None
    source: Iterator[T]

    def __init__(self, test: Callable[[T], object] | None, items: Iterable[T], /) -> None:
        self.test = test
        self.source = iterator_of(items)

    def advance(self) -> bool:
        """Move to the next item that passes."""
        test = self.test
        while self.source.advance():
            item = self.source.current
            answer: object = item if test is None else test(item)
            if answer:
                self.current = item
                return True
        return False
