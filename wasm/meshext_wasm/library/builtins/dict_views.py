"""What dict.keys(), values() and items() give."""

from __future__ import annotations

from typing import Generic, TypeVar

from meshext_wasm.library.builtins.errors import unhashable
from meshext_wasm.library.builtins.iteration import AbstractSet, Collection, Iterator
from meshext_wasm.library.builtins.lists import List
from meshext_wasm.library.builtins.objects import same_or_equal
from meshext_wasm.library.builtins.set_algebra import either_keys, is_within, kept_keys, table_of
from meshext_wasm.library.builtins.sets import Set, set_over
from meshext_wasm.library.builtins.table_iterators import (
    DICT_CHANGED,
    KeyIterator,
    PairIterator,
    ValueIterator,
)
from meshext_wasm.library.builtins.tables import Table
from meshext_wasm.library.raw import builtin

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")


class SetView(AbstractSet[T]):
    """What keys and items share: they compare and combine as sets do."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AbstractSet):
            return NotImplemented
        return len(self) == len(other) and is_within(table_of(self), table_of(other))

    def __hash__(self) -> int:
        unhashable(self)

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, AbstractSet):
            return NotImplemented
        return len(self) < len(other) and is_within(table_of(self), table_of(other))

    def __le__(self, other: object) -> bool:
        if not isinstance(other, AbstractSet):
            return NotImplemented
        return is_within(table_of(self), table_of(other))

    def __gt__(self, other: object) -> bool:
        if not isinstance(other, AbstractSet):
            return NotImplemented
        return len(other) < len(self) and is_within(table_of(other), table_of(self))

    def __ge__(self, other: object) -> bool:
        if not isinstance(other, AbstractSet):
            return NotImplemented
        return is_within(table_of(other), table_of(self))

    def __or__(self, other: AbstractSet[T]) -> Set[T]:
        result = Set(self)
        result.update(other)
        return result

    def __and__(self, other: AbstractSet[T]) -> Set[T]:
        return set_over(kept_keys(table_of(self), table_of(other), True))

    def __sub__(self, other: AbstractSet[T]) -> Set[T]:
        return set_over(kept_keys(table_of(self), table_of(other), False))

    def __xor__(self, other: AbstractSet[T]) -> Set[T]:
        return set_over(either_keys(table_of(self), table_of(other)))

    def isdisjoint(self, other: AbstractSet[T], /) -> bool:
        """Whether nothing is in both."""
        return len(self & other) == 0


@builtin("dict_keys")
class DictKeys(SetView[K], Generic[K, V]):
    """A view of the keys of a dict."""

    table: Table[K, V]

    def __init__(self, table: Table[K, V]) -> None:
        self.table = table

    def __len__(self) -> int:
        return self.table.used

    def __iter__(self) -> Iterator[K]:
        return KeyIterator(self.table, DICT_CHANGED)

    def __reversed__(self) -> Iterator[K]:
        return List(self).__reversed__()

    def __contains__(self, key: object) -> bool:
        return self.table.find(key) >= 0

    def __repr__(self) -> str:
        return f"dict_keys({List(self)!r})"


@builtin("dict_values")
class DictValues(Collection[V], Generic[K, V]):
    """A view of the values of a dict."""

    table: Table[K, V]

    def __init__(self, table: Table[K, V]) -> None:
        self.table = table

    def __len__(self) -> int:
        return self.table.used

    def __iter__(self) -> Iterator[V]:
        return ValueIterator(self.table)

    def __reversed__(self) -> Iterator[V]:
        return List(self).__reversed__()

    def __repr__(self) -> str:
        return f"dict_values({List(self)!r})"


@builtin("dict_items")
class DictItems(SetView[tuple[K, V]], Generic[K, V]):
    """A view of the pairs of a dict."""

    table: Table[K, V]

    def __init__(self, table: Table[K, V]) -> None:
        self.table = table

    def __len__(self) -> int:
        return self.table.used

    def __iter__(self) -> Iterator[tuple[K, V]]:
        return PairIterator(self.table)

    def __reversed__(self) -> Iterator[tuple[K, V]]:
        return List(self).__reversed__()

    def __contains__(self, pair: object) -> bool:
        if not isinstance(pair, tuple) or len(pair) != 2:
            return False
        number = self.table.find(pair[0])
        return number >= 0 and same_or_equal(self.table.value_of(number), pair[1])

    def __repr__(self) -> str:
        return f"dict_items({List(self)!r})"
