"""Iterators over a table, which fail when its size changes meanwhile."""

from __future__ import annotations

from typing import Generic, TypeVar

from meshext_wasm.library.builtins.iteration import Iterator
from meshext_wasm.library.builtins.tables import Table

K = TypeVar("K")
V = TypeVar("V")

DICT_CHANGED = "dictionary changed size during iteration"
SET_CHANGED = "Set changed size during iteration"
FINISHED = -2


def next_entry(table: Table[K, V], number: int, size: int, failure: str) -> int:
    """The number of the entry behind this one, or FINISHED. `size` is that at the beginning."""
    if number == FINISHED:
        return FINISHED
    if table.used != size:
        raise RuntimeError(failure)
    following = table.next_from(number + 1)
    return following if following >= 0 else FINISHED


class KeyIterator(Iterator[K], Generic[K, V]):
    """Over the keys."""

    table: Table[K, V]
    number: int
    size: int
    failure: str

    def __init__(self, table: Table[K, V], failure: str) -> None:
        self.table = table
        self.number = -1
        self.size = table.used
        self.failure = failure

    def advance(self) -> bool:
        """Move to the next key."""
        self.number = next_entry(self.table, self.number, self.size, self.failure)
        if self.number < 0:
            return False
        self.current = self.table.key_of(self.number)
        return True


class ValueIterator(Iterator[V], Generic[K, V]):
    """Over the values."""

    table: Table[K, V]
    number: int
    size: int

    def __init__(self, table: Table[K, V]) -> None:
        self.table = table
        self.number = -1
        self.size = table.used

    def advance(self) -> bool:
        """Move to the next value."""
        self.number = next_entry(self.table, self.number, self.size, DICT_CHANGED)
        if self.number < 0:
            return False
        self.current = self.table.value_of(self.number)
        return True


class PairIterator(Iterator[tuple[K, V]], Generic[K, V]):
    """Over the pairs of key and value."""

    table: Table[K, V]
    number: int
    size: int

    def __init__(self, table: Table[K, V]) -> None:
        self.table = table
        self.number = -1
        self.size = table.used

    def advance(self) -> bool:
        """Move to the next pair."""
        self.number = next_entry(self.table, self.number, self.size, DICT_CHANGED)
        if self.number < 0:
            return False
        self.current = (self.table.key_of(self.number), self.table.value_of(self.number))
        return True
