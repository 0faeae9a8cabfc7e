"""What is iterated: the classes of `collections.abc`, and the iterators that `for` and the library use.

An iterator here has `advance`, which moves it and says whether there is an item, and `current`, the item.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from meshext_wasm.library.builtins.errors import not_iterable
from meshext_wasm.library.builtins.objects import same_or_equal
from meshext_wasm.library.raw import array, array_get, array_length, builtin, method, virtual, word

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")


@builtin("Iterable")
class Iterable(Generic[T]):
    """What a `for` may go over."""

    def __iter__(self) -> Iterator[T]:
        not_iterable(self)

    def __contains__(self, item: object) -> bool:
        for each in self:
            if same_or_equal(each, item):
                return True
        return False


@builtin("Iterator")
class Iterator(Iterable[T]):
    """Gives one item after the other."""

    current: T

    @virtual
    def advance(self) -> bool:
        """Move to the next item; False at the end, and from then on."""
        return False

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if self.advance():
            return self.current
        raise StopIteration


@builtin("Collection")
class Collection(Iterable[T]):
    """What can be iterated and counted; empty ones are false."""

    def __bool__(self) -> bool:
        return len(self) > 0

    def __len__(self) -> int:
        return 0


@builtin("Sequence")
class Sequence(Collection[T]):
    """Items in an order, by index."""

    def __getitem__(self, index: int) -> T:
        raise IndexError("sequence index out of range")


@builtin("Mapping")
class Mapping(Collection[K], Generic[K, V]):
    """Values under keys."""

    def __getitem__(self, key: K) -> V:
        raise KeyError(key)

    @virtual
    def keys(self) -> AbstractSet[K]:
        """A view of the keys."""
        raise NotImplementedError

    @virtual
    def values(self) -> Collection[V]:
        """A view of the values."""
        raise NotImplementedError

    @virtual
    def items(self) -> AbstractSet[tuple[K, V]]:
        """A view of the pairs of key and value."""
        raise NotImplementedError


@method(Mapping, "get")
def get(source: Mapping[K, V], key: K, /) -> V | None:
    """The value of a key, or None."""
    if key in source:
        return source[key]
    return None


@method(Mapping, "get")
def get_or(source: Mapping[K, V], key: K, default: D, /) -> V | D:
    """The value of a key, or the default."""
    if key in source:
        return source[key]
    return default


@builtin("Set")
class AbstractSet(Collection[T]):
    """Each item once."""


class ArrayIterator(Iterator[T]):
    """Over a raw array or a tuple, from a place, so many items."""

    items: array[T]
    index: int
    end: int

    def __init__(self, items: array[T], index: int, end: int) -> None:
        self.items = items
        self.index = index
        self.end = end

    def advance(self) -> bool:
        """Move to the next item."""
        if self.index >= self.end:
            return False
        self.current = array_get(self.items, word(self.index))
        self.index += 1
        return True


def over(items: array[T]) -> Iterator[T]:
    """Over a whole raw array."""
    return ArrayIterator(items, 0, int(array_length(items)))
