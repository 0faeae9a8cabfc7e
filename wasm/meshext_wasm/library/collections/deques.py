"""collections.deque: a ring of slots."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar, cast

from meshext_wasm.library.builtins.arrays import new_array
from meshext_wasm.library.builtins.errors import unhashable
from meshext_wasm.library.builtins.indices import place_of
from meshext_wasm.library.builtins.iteration import Iterator, Sequence
from meshext_wasm.library.builtins.objects import same_or_equal
from meshext_wasm.library.builtins.ordering import compare_items
from meshext_wasm.library.builtins.printing import PRINTING
from meshext_wasm.library.raw import array, array_get, array_length, array_set, word

T = TypeVar("T")

SMALLEST = 8


class deque(Sequence[T]):  # noqa: N801 - Python's own name
    """`length` items from the slot `first` on, around the end of `slots`."""

    slots: array[T]
    first: int
    length: int
    maxlen: int | None

    def __init__(self, items: Iterable[T] = (), maxlen: int | None = None) -> None:
        if maxlen is not None and maxlen < 0:
            raise ValueError("maxlen must be non-negative")
        self.slots = new_array(SMALLEST)
        self.first = 0
        self.length = 0
        self.maxlen = maxlen
        self.extend(items)

    def __len__(self) -> int:
        return self.length

    def __bool__(self) -> bool:
        return self.length > 0

    def place(self, index: int) -> word:
        """The slot of an item."""
        size = int(array_length(self.slots))
        at = self.first + index
        return word(at - size if at >= size else at)

    def checked(self, index: int) -> word:
        """The slot of an item by an index that may be negative or wrong."""
        return self.place(place_of(index, self.length, "sequence", "deque index out of range"))

    def __getitem__(self, index: int) -> T:
        return array_get(self.slots, self.checked(index))

    def __setitem__(self, index: int, item: T) -> None:
        array_set(self.slots, self.checked(index), item)

    def __iter__(self) -> Iterator[T]:
        return DequeIterator(self)

    def __contains__(self, item: object) -> bool:
        for index in range(self.length):
            if same_or_equal(array_get(self.slots, self.place(index)), item):
                return True
        return False

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, deque):
            return NotImplemented
        return self.length == other.length and self.compare(other) == 0

    def __lt__(self, other: object) -> bool:
        return self.compare(other) < 0 if isinstance(other, deque) else NotImplemented

    def __hash__(self) -> int:
        unhashable(self)

    def compare(self, other: deque[T]) -> int:
        """Below 0, 0 or above 0."""
        return compare_items(self.lined(), self.length, other.lined(), other.length)

    def __repr__(self) -> str:
        if not PRINTING.enters(self):
            return "[...]"
        try:
            inner = ", ".join([repr(each) for each in self])
            limit = "" if self.maxlen is None else f", maxlen={self.maxlen}"
            return f"deque([{inner}]{limit})"
        finally:
            PRINTING.leaves()

    def lined(self) -> array[T]:
        """The items in a new array, with room for more."""
        result: array[T] = new_array(self.length * 2 + SMALLEST)
        for index in range(self.length):
            array_set(result, word(index), array_get(self.slots, self.place(index)))
        return result

    def make_room(self) -> None:
        """Move to a larger ring when this one is full."""
        if self.length == int(array_length(self.slots)):
            self.slots = self.lined()
            self.first = 0

    def append(self, item: T, /) -> None:
        """Put an item at the end; where there is a limit, the first one goes."""
        limit = self.maxlen
        if limit is not None and self.length >= limit:
            if limit == 0:
                return
            self.popleft()
        self.make_room()
        array_set(self.slots, self.place(self.length), item)
        self.length += 1

    def appendleft(self, item: T, /) -> None:
        """Put an item at the beginning; where there is a limit, the last one goes."""
        limit = self.maxlen
        if limit is not None and self.length >= limit:
            if limit == 0:
                return
            self.pop()
        self.make_room()
        size = int(array_length(self.slots))
        self.first = self.first - 1 if self.first > 0 else size - 1
        array_set(self.slots, word(self.first), item)
        self.length += 1

    def pop(self) -> T:
        """Take the last item out."""
        if self.length == 0:
            raise IndexError("pop from an empty deque")
        self.length -= 1
        return self.taken(self.place(self.length))

    def popleft(self) -> T:
        """Take the first item out."""
        if self.length == 0:
            raise IndexError("pop from an empty deque")
        at = word(self.first)
        self.first = int(self.place(1))
        self.length -= 1
        return self.taken(at)

    def taken(self, at: word) -> T:
        """What is in a slot, which becomes free."""
        item = array_get(self.slots, at)
        array_set(cast("array[T | None]", self.slots), at, None)
        return item

    def extend(self, items: Iterable[T], /) -> None:
        """Append every item."""
        for each in list(items):
            self.append(each)

    def extendleft(self, items: Iterable[T], /) -> None:
        """Put every item at the beginning, one after the other."""
        for each in list(items):
            self.appendleft(each)

    def rotate(self, n: int = 1, /) -> None:
        """Move the last items to the beginning, or the first ones to the end when negative."""
        if self.length > 1:
            for _ in range(n % self.length):
                self.appendleft(self.pop())

    def clear(self) -> None:
        """Take everything out."""
        self.slots = new_array(SMALLEST)
        self.first = 0
        self.length = 0

    def copy(self) -> deque[T]:
        """A new one of the same items and limit."""
        return deque(self, self.maxlen)

    def count(self, item: T, /) -> int:
        """How many items are equal."""
        found = 0
        for each in self:
            if same_or_equal(each, item):
                found += 1
        return found


class DequeIterator(Iterator[T]):
    """Over a deque that must not change meanwhile."""

    source: deque[T]
    index: int
    size: int

    def __init__(self, source: deque[T]) -> None:
        self.source = source
        self.index = 0
        self.size = source.length

    def advance(self) -> bool:
        """Move to the next item."""
        if self.source.length != self.size:
            self.size = -1
            raise RuntimeError("deque mutated during iteration")
        if self.index >= self.size:
            return False
        self.current = self.source[self.index]
        self.index += 1
        return True
