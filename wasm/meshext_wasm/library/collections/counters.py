"""collections.Counter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from meshext_wasm.library.builtins.dicts import Dict
from meshext_wasm.library.builtins.iteration import Iterator
from meshext_wasm.library.builtins.lists import List
from meshext_wasm.library.builtins.tables import Table
from meshext_wasm.library.raw import class_descriptor, instance_new

K = TypeVar("K")


class Counter(Dict[K, int]):
    """How often each item came; 0 for what never came."""

    def __init__(self, items: Iterable[K] = (), /) -> None:
        self.table = Table()
        count_items(self.table, items, 1)

    def __getitem__(self, key: K) -> int:
        number = self.table.find(key)
        return self.table.value_of(number) if number >= 0 else 0

    def most_common(self, n: int | None = None) -> list[tuple[K, int]]:
        """The items with their counts, the most frequent ones first; of equal ones that which came first."""
        pairs = list(self.items())
        pairs.sort(key=lambda pair: pair[1], reverse=True)
        return pairs if n is None else pairs[: n if n > 0 else 0]

    def total(self) -> int:
        """All counts together."""
        result = 0
        for count in self.values():
            result += count
        return result

    def elements(self) -> Iterator[K]:
        """Each item as often as it came."""
        result: List[K] = List()
        for key, count in self.items():
            for _ in range(count):
                result.append(key)
        return result.__iter__()

    def count(self, items: Iterable[K], by: int) -> None:
        """Count more items, or fewer."""
        count_items(self.table, items, by)

    def subtract(self, items: Iterable[K], /) -> None:
        """Take items off."""
        count_items(self.table, items, -1)

    def __add__(self, other: Counter[K]) -> Counter[K]:
        return combined(self, other, 1)

    def __sub__(self, other: Counter[K]) -> Counter[K]:
        return combined(self, other, -1)

    def __repr__(self) -> str:
        if self.table.used == 0:
            return "Counter()"
        parts = [f"{key!r}: {count!r}" for key, count in self.most_common()]
        return "Counter({" + ", ".join(parts) + "})"

    def copy(self) -> Counter[K]:
        """A new one of the same counts."""
        return counter_over(self.table.copy())


def counter_over(table: Table[K, int]) -> Counter[K]:
    """A counter of a table, which becomes its own."""
    result: Counter[K] = instance_new(class_descriptor(Counter))
    result.table = table
    return result


def count_items(table: Table[K, int], items: Iterable[K], by: int) -> None:
    """Add to the count of each item."""
    for each in items:
        number = table.find(each)
        if number >= 0:
            table.set_value(number, table.value_of(number) + by)
        else:
            table.put(each, by)


def combined(left: Counter[K], right: Counter[K], sign: int) -> Counter[K]:
    """The counts of both together, those above 0."""
    table: Table[K, int] = Table()
    for key, count in left.items():
        total = count + sign * right[key]
        if total > 0:
            table.put(key, total)
    for key, count in right.items():
        if key not in left and sign * count > 0:
            table.put(key, sign * count)
    return counter_over(table)
