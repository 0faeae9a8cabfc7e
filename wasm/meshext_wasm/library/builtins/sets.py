"""set and frozenset. Their order is that in which the items came; CPython's is arbitrary."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from meshext_wasm.library.builtins.errors import unhashable
from meshext_wasm.library.builtins.hashing import int_of_hash
from meshext_wasm.library.builtins.iteration import AbstractSet, Iterator
from meshext_wasm.library.builtins.printing import PRINTING
from meshext_wasm.library.builtins.set_algebra import (
    add_items,
    add_keys,
    drop_keys,
    either_keys,
    is_apart,
    is_within,
    kept_keys,
    keys_hash,
    keys_repr,
    table_of,
)
from meshext_wasm.library.builtins.table_iterators import SET_CHANGED, KeyIterator
from meshext_wasm.library.builtins.tables import Table
from meshext_wasm.library.raw import (
    array,
    array_get,
    array_length,
    builtin,
    class_descriptor,
    instance_new,
    word,
)

T = TypeVar("T")


class BaseSet(AbstractSet[T]):
    """What set and frozenset share."""

    table: Table[T, None]

    def __init__(self, items: Iterable[T] = (), /) -> None:
        self.table = table_of(items)

    def __len__(self) -> int:
        return self.table.used

    def __bool__(self) -> bool:
        return self.table.used > 0

    def __iter__(self) -> Iterator[T]:
        return KeyIterator(self.table, SET_CHANGED)

    def __contains__(self, item: object) -> bool:
        return self.table.find(item) >= 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BaseSet):
            return NotImplemented
        return self.table.used == other.table.used and is_within(self.table, other.table)

    def __hash__(self) -> int:
        unhashable(self)

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, BaseSet):
            return NotImplemented
        return self.table.used < other.table.used and is_within(self.table, other.table)

    def __le__(self, other: object) -> bool:
        return is_within(self.table, other.table) if isinstance(other, BaseSet) else NotImplemented

    def __gt__(self, other: object) -> bool:
        if not isinstance(other, BaseSet):
            return NotImplemented
        return other.table.used < self.table.used and is_within(other.table, self.table)

    def __ge__(self, other: object) -> bool:
        return is_within(other.table, self.table) if isinstance(other, BaseSet) else NotImplemented

    def issubset(self, other: Iterable[T], /) -> bool:
        """Whether the other has every item."""
        return is_within(self.table, table_of(other))

    def issuperset(self, other: Iterable[T], /) -> bool:
        """Whether every item of the other is here."""
        return is_within(table_of(other), self.table)

    def isdisjoint(self, other: Iterable[T], /) -> bool:
        """Whether nothing is in both."""
        return is_apart(self.table, table_of(other))


@builtin("set")
class Set(BaseSet[T]):
    """A set that can change."""

    def __repr__(self) -> str:
        if self.table.used == 0:
            return "set()"
        if not PRINTING.enters(self):
            return "set(...)"
        try:
            return keys_repr(self.table)
        finally:
            PRINTING.leaves()

    def __or__(self, other: BaseSet[T]) -> Set[T]:
        return self.union(other)

    def __and__(self, other: BaseSet[T]) -> Set[T]:
        return set_over(kept_keys(self.table, other.table, True))

    def __sub__(self, other: BaseSet[T]) -> Set[T]:
        return set_over(kept_keys(self.table, other.table, False))

    def __xor__(self, other: BaseSet[T]) -> Set[T]:
        return set_over(either_keys(self.table, other.table))

    def __ior__(self, other: BaseSet[T]) -> Set[T]:
        add_keys(self.table, other.table)
        return self

    def __iand__(self, other: BaseSet[T]) -> Set[T]:
        self.table = kept_keys(self.table, other.table, True)
        return self

    def __isub__(self, other: BaseSet[T]) -> Set[T]:
        drop_keys(self.table, other.table)
        return self

    def __ixor__(self, other: BaseSet[T]) -> Set[T]:
        self.table = either_keys(self.table, other.table)
        return self

    def union(self, *others: Iterable[T]) -> Set[T]:
        """The items of all."""
        table = self.table.copy()
        for each in others:
            add_items(table, each)
        return set_over(table)

    def intersection(self, *others: Iterable[T]) -> Set[T]:
        """The items that all have."""
        table = self.table.copy()
        for each in others:
            table = kept_keys(table, table_of(each), True)
        return set_over(table)

    def difference(self, *others: Iterable[T]) -> Set[T]:
        """The items that no other has."""
        table = self.table.copy()
        for each in others:
            drop_keys(table, table_of(each))
        return set_over(table)

    def symmetric_difference(self, other: Iterable[T], /) -> Set[T]:
        """The items that only one has."""
        return set_over(either_keys(self.table, table_of(other)))

    def update(self, *others: Iterable[T]) -> None:
        """Add the items of all others."""
        for each in others:
            add_keys(self.table, table_of(each))

    def intersection_update(self, *others: Iterable[T]) -> None:
        """Keep what all others have."""
        self.table = self.intersection(*others).table

    def difference_update(self, *others: Iterable[T]) -> None:
        """Take out what another has."""
        for each in others:
            drop_keys(self.table, table_of(each))

    def symmetric_difference_update(self, other: Iterable[T], /) -> None:
        """Keep what only one has."""
        self.table = either_keys(self.table, table_of(other))

    def add(self, item: T, /) -> None:
        """Put an item in."""
        self.table.put(item, None)

    def discard(self, item: T, /) -> None:
        """Take an item out, if it is there."""
        number = self.table.find(item)
        if number >= 0:
            self.table.remove(number)

    def remove(self, item: T, /) -> None:
        """Take an item out."""
        number = self.table.find(item)
        if number < 0:
            raise KeyError(item)
        self.table.remove(number)

    def pop(self) -> T:
        """Take the item out that came first."""
        number = self.table.next_from(0)
        if number < 0:
            raise KeyError("pop from an empty set")
        item = self.table.key_of(number)
        self.table.remove(number)
        return item

    def clear(self) -> None:
        """Take everything out."""
        self.table.reset(8)

    def copy(self) -> Set[T]:
        """A new set of the same items."""
        return set_over(self.table.copy())


@builtin("frozenset")
class FrozenSet(BaseSet[T]):
    """A set that stays."""

    def __hash__(self) -> int:
        return int_of_hash(keys_hash(self.table))

    def __repr__(self) -> str:
        return f"frozenset({keys_repr(self.table)})" if self.table.used > 0 else "frozenset()"

    def __or__(self, other: BaseSet[T]) -> FrozenSet[T]:
        return self.union(other)

    def __and__(self, other: BaseSet[T]) -> FrozenSet[T]:
        return frozen_over(kept_keys(self.table, other.table, True))

    def __sub__(self, other: BaseSet[T]) -> FrozenSet[T]:
        return frozen_over(kept_keys(self.table, other.table, False))

    def __xor__(self, other: BaseSet[T]) -> FrozenSet[T]:
        return frozen_over(either_keys(self.table, other.table))

    def union(self, *others: Iterable[T]) -> FrozenSet[T]:
        """The items of all."""
        table = self.table.copy()
        for each in others:
            add_items(table, each)
        return frozen_over(table)

    def intersection(self, *others: Iterable[T]) -> FrozenSet[T]:
        """The items that all have."""
        table = self.table.copy()
        for each in others:
            table = kept_keys(table, table_of(each), True)
        return frozen_over(table)

    def difference(self, *others: Iterable[T]) -> FrozenSet[T]:
        """The items that no other has."""
        table = self.table.copy()
        for each in others:
            drop_keys(table, table_of(each))
        return frozen_over(table)

    def symmetric_difference(self, other: Iterable[T], /) -> FrozenSet[T]:
        """The items that only one has."""
        return frozen_over(either_keys(self.table, table_of(other)))

    def copy(self) -> FrozenSet[T]:
        """Itself."""
        return self


def set_over(table: Table[T, None]) -> Set[T]:
    """A set of a table, which becomes its own."""
    result: Set[T] = instance_new(class_descriptor(Set))
    result.table = table
    return result


def frozen_over(table: Table[T, None]) -> FrozenSet[T]:
    """A frozen set of a table, which becomes its own."""
    result: FrozenSet[T] = instance_new(class_descriptor(FrozenSet))
    result.table = table
    return result


def from_array(items: array[T]) -> Set[T]:
    """A set of the slots of an array; for `{...}`."""
    table: Table[T, None] = Table()
    for index in range(int(array_length(items))):
        table.put(array_get(items, word(index)), None)
    return set_over(table)
