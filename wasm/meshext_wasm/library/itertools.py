"""itertools: iterators out of iterators."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from meshext_wasm.library.builtins.adapters import iterator_of
from meshext_wasm.library.builtins.iteration import Iterator
from meshext_wasm.library.builtins.lists import List

S = TypeVar("S")
T = TypeVar("T")


class chain(Iterator[T]):  # noqa: N801 - Python's own names here and below
    """One iterable after the other."""

    sources: Iterator[Iterable[T]]
    source: Iterator[T] | None

    def __init__(self, *items: Iterable[T]) -> None:
        self.sources = iterator_of(items)
        self.source = None

    @staticmethod
    def from_iterable(items: Iterable[Iterable[T]], /) -> chain[T]:
        """The iterables that an iterable gives."""
        result: chain[T] = chain()
        result.sources = iterator_of(items)
        return result

    def advance(self) -> bool:
        """Move to the next item."""
        while True:
            source = self.source
            if source is not None and source.advance():
                self.current = source.current
                return True
            if not self.sources.advance():
                self.source = None
                return False
            self.source = iterator_of(self.sources.current)


class count(Iterator[int]):  # noqa: N801
    """Numbers without end."""

    following: int
    step: int

    def __init__(self, start: int = 0, step: int = 1) -> None:
        self.following = start
        self.step = step

    def advance(self) -> bool:
        """Move to the next number."""
        self.current = self.following
        self.following += self.step
        return True


class cycle(Iterator[T]):  # noqa: N801
    """The items again and again."""

    items: List[T]
    index: int

    def __init__(self, items: Iterable[T], /) -> None:
        self.items = List(items)
        self.index = 0

    def advance(self) -> bool:
        """Move to the next item."""
        if self.items.length == 0:
            return False
        self.current = self.items[self.index]
        self.index = (self.index + 1) % self.items.length
        return True


class repeat(Iterator[T]):  # noqa: N801
    """One item, so many times or without end."""

    item: T
    times: int
    endless: bool

    def __init__(self, object: T, times: int | None = None) -> None:  # noqa: A002 - Python's own name
        self.item = object
        self.endless = times is None
        self.times = 0 if times is None else times

    def advance(self) -> bool:
        """Once more."""
        if not self.endless:
            if self.times <= 0:
                return False
            self.times -= 1
        self.current = self.item
        return True


class islice(Iterator[T]):  # noqa: N801
    """Some of the items: from `start`, before `stop`, every `step`-th."""

    source: Iterator[T]
    position: int
    following: int
    stop: int
    endless: bool
    step: int

    def __init__(self, items: Iterable[T], start: int | None, *rest: int | None) -> None:
        stop = rest[0] if len(rest) > 0 else start
        step = rest[1] if len(rest) > 1 else None
        self.source = iterator_of(items)
        self.position = 0
        self.following = start if len(rest) > 0 and start is not None else 0
        self.endless = stop is None
        self.stop = 0 if stop is None else stop
        self.step = 1 if step is None else step
        if self.stop == -1:
            raise ValueError("Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.")
        if self.stop < 0 or self.following < 0:
            raise ValueError("Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.")
        if self.step < 1:
            raise ValueError("Step for islice() must be a positive integer or None.")

    def advance(self) -> bool:
        """Move to the next item that is wanted."""
        if not self.endless and self.following >= self.stop:
            while self.position < self.stop and self.source.advance():
                self.position += 1
            return False
        while self.position <= self.following:
            if not self.source.advance():
                self.following = self.stop
                self.endless = False
                return False
            self.position += 1
        self.current = self.source.current
        self.following += self.step
        return True


class takewhile(Iterator[T]):  # noqa: N801
    """The items before the first one that fails a test."""

    test: Callable[[T], object]
    source: Iterator[T]
    open: bool

    def __init__(self, predicate: Callable[[T], object], items: Iterable[T], /) -> None:
        self.test = predicate
        self.source = iterator_of(items)
        self.open = True

    def advance(self) -> bool:
        """Move to the next item."""
        if not self.open or not self.source.advance():
            return False
        self.current = self.source.current
        test = self.test
        if not test(self.current):
            self.open = False
        return self.open


class dropwhile(Iterator[T]):  # noqa: N801
    """The items from the first one on that fails a test."""

    test: Callable[[T], object]
    source: Iterator[T]
    open: bool

    def __init__(self, predicate: Callable[[T], object], items: Iterable[T], /) -> None:
        self.test = predicate
        self.source = iterator_of(items)
        self.open = False

    def advance(self) -> bool:
        """Move to the next item."""
        test = self.test
        while self.source.advance():
            self.current = self.source.current
            if self.open or not test(self.current):
                self.open = True
                return True
        return False


class filterfalse(Iterator[T]):  # noqa: N801
    """The items that fail a test."""

    test: Callable[[T], object] | None
    source: Iterator[T]

    def __init__(self, predicate: Callable[[T], object] | None, items: Iterable[T], /) -> None:
        self.test = predicate
        self.source = iterator_of(items)

    def advance(self) -> bool:
        """Move to the next item."""
        test = self.test
        while self.source.advance():
            self.current = self.source.current
            answer: object = self.current if test is None else test(self.current)
            if not answer:
                return True
        return False


class pairwise(Iterator[tuple[T, T]], Generic[T]):  # noqa: N801
    """Each item with the one behind it."""

    source: Iterator[T]
    started: bool
    before: T

    def __init__(self, items: Iterable[T], /) -> None:
        self.source = iterator_of(items)
        self.started = False

    def advance(self) -> bool:
        """Move to the next pair."""
        if not self.started:
            self.started = True
            if not self.source.advance():
                return False
            self.before = self.source.current
        if not self.source.advance():
            return False
        following = self.source.current
        self.current = (self.before, following)
        self.before = following
        return True


class product(Iterator[tuple[S, T]], Generic[S, T]):  # noqa: N801
    """Every pair of an item of one and an item of another."""

    first: Iterator[S]
    second: List[T]
    index: int

    def __init__(self, first: Iterable[S], second: Iterable[T], /) -> None:
        self.first = iterator_of(List(first))
        self.second = List(second)
        self.index = self.second.length

    def advance(self) -> bool:
        """Move to the next pair."""
        if self.index >= self.second.length:
            if self.second.length == 0 or not self.first.advance():
                return False
            self.index = 0
        self.current = (self.first.current, self.second[self.index])
        self.index += 1
        return True


class accumulate(Iterator[T]):  # noqa: N801
    """What a function makes of all items so far."""

    source: Iterator[T]
    function: Callable[[T, T], T]
    started: bool

    def __init__(self, items: Iterable[T], func: Callable[[T, T], T]) -> None:
        self.source = iterator_of(items)
        self.function = func
        self.started = False

    def advance(self) -> bool:
        """Move to the next result."""
        if not self.source.advance():
            return False
        item = self.source.current
        self.current = self.function(self.current, item) if self.started else item
        self.started = True
        return True
