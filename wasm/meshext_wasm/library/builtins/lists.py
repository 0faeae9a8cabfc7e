"""list: an array with room to grow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar, cast

from meshext_wasm.library.builtins.arrays import (
    check_size,
    copy_items,
    fill_repeated,
    move_up,
    new_array,
    stretch,
)
from meshext_wasm.library.builtins.errors import unhashable
from meshext_wasm.library.builtins.indices import (
    bound,
    count_of,
    fits,
    place_of,
    size_of,
    start_of,
    step_of,
    stop_of,
    times_of,
)
from meshext_wasm.library.builtins.iteration import Iterator, Sequence
from meshext_wasm.library.builtins.objects import same_or_equal
from meshext_wasm.library.builtins.ordering import compare_items, sort_items
from meshext_wasm.library.builtins.printing import PRINTING
from meshext_wasm.library.raw import (
    array,
    array_get,
    array_length,
    array_set,
    builtin,
    class_descriptor,
    instance_new,
    word,
)

T = TypeVar("T")


@builtin("list")
class List(Sequence[T]):
    """The first `length` slots of `items` are the items."""

    items: array[T]
    length: int

    def __init__(self, items: Iterable[T] = (), /) -> None:
        self.items = new_array(0)
        self.length = 0
        self.extend(items)

    def __len__(self) -> int:
        return self.length

    def __bool__(self) -> bool:
        return self.length > 0

    def __iter__(self) -> Iterator[T]:
        return ListIterator(self)

    def __reversed__(self) -> Iterator[T]:
        return ListReversed(self)

    def __contains__(self, item: object) -> bool:
        return self.find(item, 0, self.length) >= 0

    def __getitem__(self, index: int) -> T:
        return array_get(self.items, word(place_of(index, self.length, "list", "list index out of range")))

    def __setitem__(self, index: int, item: T) -> None:
        place = place_of(index, self.length, "list", "list assignment index out of range")
        array_set(self.items, word(place), item)

    def __delitem__(self, index: int) -> None:
        place = place_of(index, self.length, "list", "list assignment index out of range")
        self.close_gap(place, place + 1)

    def __getslice__(self, start: int | None, stop: int | None, step: int | None) -> List[T]:
        by = step_of(step)
        first = start_of(start, by, self.length)
        return from_array(stretch(self.items, first, by, count_of(first, stop_of(stop, by, self.length), by)))

    def __setslice__(
        self, start: int | None, stop: int | None, step: int | None, values: Iterable[T]
    ) -> None:
        by = step_of(step)
        first = start_of(start, by, self.length)
        count = count_of(first, stop_of(stop, by, self.length), by)
        new = List(values)
        if by == 1:
            self.open_gap(first, first + count, new.length)
            copy_items(new.items, 0, self.items, first, new.length)
            return
        if new.length != count:
            raise ValueError(
                f"attempt to assign sequence of size {new.length} to extended slice of size {count}"
            )
        for index in range(count):
            array_set(self.items, word(first + index * by), array_get(new.items, word(index)))

    def __delslice__(self, start: int | None, stop: int | None, step: int | None) -> None:
        by = step_of(step)
        first = start_of(start, by, self.length)
        count = count_of(first, stop_of(stop, by, self.length), by)
        if by < 0:
            first, by = first + (count - 1) * by, -by
        if by == 1:
            self.close_gap(first, first + count)
            return
        kept = first
        for index in range(first, self.length):
            if (index - first) % by != 0 or (index - first) // by >= count:
                array_set(self.items, word(kept), array_get(self.items, word(index)))
                kept += 1
        self.cut(kept if count > 0 else self.length)

    def __add__(self, other: List[T]) -> List[T]:
        result: array[T] = new_array(self.length + other.length)
        copy_items(self.items, 0, result, 0, self.length)
        copy_items(other.items, 0, result, self.length, other.length)
        return from_array(result)

    def __iadd__(self, other: Iterable[T]) -> List[T]:
        self.extend(other)
        return self

    def __mul__(self, times: int) -> List[T]:
        count = times_of(times)
        result: array[T] = new_array(self.length * count)
        fill_repeated(self.items, self.length, count if self.length > 0 else 0, result)
        return from_array(result)

    def __rmul__(self, times: int) -> List[T]:
        return self * times

    def __imul__(self, times: int) -> List[T]:
        product = self * times
        self.items = product.items
        self.length = product.length
        return self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, List):
            return NotImplemented
        if self.length != other.length:
            return False
        for index in range(self.length):
            if index >= other.length or index >= self.length:
                return self.length == other.length
            if not same_or_equal(array_get(self.items, word(index)), array_get(other.items, word(index))):
                return False
        return True

    def __hash__(self) -> int:
        unhashable(self)

    def __lt__(self, other: object) -> bool:
        return self.compare(other) < 0 if isinstance(other, List) else NotImplemented

    def __le__(self, other: object) -> bool:
        return self.compare(other) <= 0 if isinstance(other, List) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self.compare(other) > 0 if isinstance(other, List) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self.compare(other) >= 0 if isinstance(other, List) else NotImplemented

    def compare(self, other: List[T]) -> int:
        """Below 0, 0 or above 0, as the first items that differ are ordered, else the lengths."""
        return compare_items(self.items, self.length, other.items, other.length)

    def __repr__(self) -> str:
        if not PRINTING.enters(self):
            return "[...]"
        try:
            return "[" + ", ".join([repr(each) for each in self]) + "]"
        finally:
            PRINTING.leaves()

    def append(self, item: T, /) -> None:
        """Put an item at the end."""
        if self.length == int(array_length(self.items)):
            self.reserve(self.length + 1)
        array_set(self.items, word(self.length), item)
        self.length += 1

    def extend(self, items: Iterable[T], /) -> None:
        """Append every item of an iterable."""
        if isinstance(items, List):
            self.extend_array(items.items, items.length)
        elif isinstance(items, tuple):
            self.extend_array(cast("array[T]", items), len(items))
        else:
            for each in items:
                self.append(each)

    def extend_array(self, items: array[T], count: int) -> None:
        """Append the first slots of an array, which may be this list's own."""
        self.reserve(self.length + count)
        copy_items(items, 0, self.items, self.length, count)
        self.length += count

    def insert(self, index: int, item: T, /) -> None:
        """Put an item before an index; far ones mean the ends."""
        place = bound(size_of(index), self.length, 0)
        self.open_gap(place, place, 1)
        array_set(self.items, word(place), item)

    def pop(self, index: int = -1, /) -> T:
        """Take an item out."""
        if self.length == 0 and fits(index):
            raise IndexError("pop from empty list")
        place = place_of(size_of(index), self.length, "list", "pop index out of range")
        item = array_get(self.items, word(place))
        self.close_gap(place, place + 1)
        return item

    def remove(self, item: T, /) -> None:
        """Take out the first item that is equal."""
        place = self.find(item, 0, self.length)
        if place < 0:
            raise ValueError("list.remove(x): x not in list")
        self.close_gap(place, place + 1)

    def clear(self) -> None:
        """Take everything out."""
        self.items = new_array(0)
        self.length = 0

    def copy(self) -> List[T]:
        """A new list of the same items."""
        return from_array(stretch(self.items, 0, 1, self.length))

    def index(self, item: T, start: int = 0, stop: int = 9223372036854775807, /) -> int:
        """Where the first item that is equal stands."""
        place = self.find(item, bound(start, self.length, 0), bound(stop, self.length, 0))
        if place < 0:
            raise ValueError(f"{item!r} is not in list")
        return place

    def count(self, item: T, /) -> int:
        """How many items are equal."""
        found = 0
        for each in self:
            if same_or_equal(each, item):
                found += 1
        return found

    def reverse(self) -> None:
        """Turn the order around, in place."""
        low, high = 0, self.length - 1
        while low < high:
            item = array_get(self.items, word(low))
            array_set(self.items, word(low), array_get(self.items, word(high)))
            array_set(self.items, word(high), item)
            low += 1
            high -= 1

    def sort(self, *, key: Callable[[T], object] | None = None, reverse: bool = False) -> None:
        """Put in order, stably, in place. When a comparison fails, the order is the one before."""
        self.items = sort_items(self.items, self.length, key, reverse)

    def find(self, item: object, start: int, stop: int) -> int:
        """The place of the first equal item in a range of places, or -1."""
        index = start
        while index < stop and index < self.length:
            if same_or_equal(array_get(self.items, word(index)), item):
                return index
            index += 1
        return -1

    def reserve(self, length: int) -> None:
        """Make room for so many items."""
        if length > int(array_length(self.items)):
            check_size(length)
            items: array[T] = new_array(length + length // 2 + 2)
            copy_items(self.items, 0, items, 0, self.length)
            self.items = items

    def cut(self, length: int) -> None:
        """Forget the items behind the first so many."""
        for index in range(length, self.length):
            array_set(cast("array[T | None]", self.items), word(index), None)
        self.length = length

    def close_gap(self, start: int, end: int) -> None:
        """Take out the items from `start` up to `end`."""
        if start < end:
            copy_items(self.items, end, self.items, start, self.length - end)
            self.cut(self.length - (end - start))

    def open_gap(self, start: int, end: int, size: int) -> None:
        """Replace the items from `start` up to `end` by `size` slots that are to be written."""
        more = size - (end - start)
        if more < 0:
            self.close_gap(end + more, end)
        elif more > 0:
            self.reserve(self.length + more)
            move_up(self.items, end, self.length, more)
            self.length += more


class ListIterator(Iterator[T]):
    """Over a list that may change meanwhile."""

    source: List[T]
    index: int

    def __init__(self, source: List[T]) -> None:
        self.source = source
        self.index = 0

    def advance(self) -> bool:
        """Move to the next item."""
        if self.index >= self.source.length:
            self.index = 9223372036854775807 >> 2
            return False
        self.current = array_get(self.source.items, word(self.index))
        self.index += 1
        return True


class ListReversed(Iterator[T]):
    """Over a list from its end."""

    source: List[T]
    index: int

    def __init__(self, source: List[T]) -> None:
        self.source = source
        self.index = source.length

    def advance(self) -> bool:
        """Move to the item before."""
        self.index -= 1
        if self.index < 0 or self.index >= self.source.length:
            self.index = 0
            return False
        self.current = array_get(self.source.items, word(self.index))
        return True


def from_array(items: array[T]) -> List[T]:
    """A list of all slots of an array, which becomes the list's own; for `[...]`, empty ones too."""
    result: List[T] = instance_new(class_descriptor(List))
    result.items = items
    result.length = int(array_length(items))
    return result
