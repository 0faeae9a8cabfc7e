"""collections: dicts that make missing values, or move their keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from meshext_wasm.library.builtins.dicts import Dict
from meshext_wasm.library.builtins.lists import List
from meshext_wasm.library.builtins.tables import Table
from meshext_wasm.library.raw import class_descriptor, instance_new

K = TypeVar("K")
V = TypeVar("V")


class defaultdict(Dict[K, V]):  # noqa: N801 - Python's own name
    """A dict that makes the value of a missing key by calling `default_factory`."""

    default_factory: Callable[[], V] | None

    def __init__(
        self, default_factory: Callable[[], V] | None = None, items: Iterable[tuple[K, V]] = (), /
    ) -> None:
        self.table = Table()
        self.default_factory = default_factory
        for key, value in items:
            self.table.put(key, value)

    def __getitem__(self, key: K) -> V:
        number = self.table.find(key)
        if number >= 0:
            return self.table.value_of(number)
        make = self.default_factory
        if make is None:
            raise KeyError(key)
        value = make()
        self.table.put(key, value)
        return value

    def __repr__(self) -> str:
        factory = "None" if self.default_factory is None else repr(self.default_factory)
        return f"defaultdict({factory}, {super().__repr__()})"

    def copy(self) -> defaultdict[K, V]:
        """A new one of the same factory, keys and values."""
        result: defaultdict[K, V] = instance_new(class_descriptor(defaultdict))
        result.default_factory = self.default_factory
        result.table = self.table.copy()
        return result


class OrderedDict(Dict[K, V]):
    """A dict whose keys can be moved to either end."""

    def __init__(self, items: Iterable[tuple[K, V]] = (), /) -> None:
        self.table = Table()
        for key, value in items:
            self.table.put(key, value)

    def move_to_end(self, key: K, last: bool = True) -> None:
        """Make a key the last one, or the first."""
        number = self.table.find(key)
        if number < 0:
            raise KeyError(key)
        value = self.table.value_of(number)
        kept = self.table.key_of(number)
        self.table.remove(number)
        if last:
            self.table.put(kept, value)
            return
        table: Table[K, V] = Table()
        table.put(kept, value)
        table.add_all(self.table)
        self.table = table

    def __eq__(self, other: object) -> bool:
        if isinstance(other, OrderedDict) and List(self) != List(other):
            return False
        return super().__eq__(other)

    def __repr__(self) -> str:
        if self.table.used == 0:
            return "OrderedDict()"
        return f"OrderedDict({List(self.items())!r})"

    def copy(self) -> OrderedDict[K, V]:
        """A new one of the same keys and values."""
        result: OrderedDict[K, V] = instance_new(class_descriptor(OrderedDict))
        result.table = self.table.copy()
        return result
