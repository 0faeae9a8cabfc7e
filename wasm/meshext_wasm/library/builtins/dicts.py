"""dict: a table whose entries keep the order in which their keys came."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from meshext_wasm.library.builtins.dict_views import DictItems, DictKeys, DictValues
from meshext_wasm.library.builtins.errors import unhashable
from meshext_wasm.library.builtins.iteration import Iterator, Mapping
from meshext_wasm.library.builtins.lists import List
from meshext_wasm.library.builtins.objects import same_or_equal
from meshext_wasm.library.builtins.printing import PRINTING
from meshext_wasm.library.builtins.table_iterators import DICT_CHANGED, KeyIterator
from meshext_wasm.library.builtins.tables import Table
from meshext_wasm.library.builtins.text import join_between
from meshext_wasm.library.raw import (
    builtin,
    class_descriptor,
    constructor,
    instance_new,
    method,
    static_method,
)

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")


@builtin("dict")
class Dict(Mapping[K, V]):
    """Values under keys."""

    table: Table[K, V]

    def __len__(self) -> int:
        return self.table.used

    def __bool__(self) -> bool:
        return self.table.used > 0

    def __iter__(self) -> Iterator[K]:
        return KeyIterator(self.table, DICT_CHANGED)

    def __reversed__(self) -> Iterator[K]:
        return List(self).__reversed__()

    def __contains__(self, key: object) -> bool:
        return self.table.find(key) >= 0

    def __getitem__(self, key: K) -> V:
        number = self.table.find(key)
        if number < 0:
            raise KeyError(key)
        return self.table.value_of(number)

    def __setitem__(self, key: K, value: V) -> None:
        self.table.put(key, value)

    def __delitem__(self, key: K) -> None:
        number = self.table.find(key)
        if number < 0:
            raise KeyError(key)
        self.table.remove(number)

    def __hash__(self) -> int:
        unhashable(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Dict):
            return NotImplemented
        table = self.table
        if table.used != other.table.used:
            return False
        number = table.next_from(0)
        while number >= 0:
            theirs = other.table.find(table.key_of(number))
            if theirs < 0 or not same_or_equal(table.value_of(number), other.table.value_of(theirs)):
                return False
            number = table.next_from(number + 1)
        return True

    def __or__(self, other: Dict[K, V]) -> Dict[K, V]:
        result = self.copy()
        result.table.add_all(other.table)
        return result

    def __ior__(self, other: Dict[K, V]) -> Dict[K, V]:
        self.table.add_all(other.table)
        return self

    def __repr__(self) -> str:
        if not PRINTING.enters(self):
            return "{...}"
        try:
            parts: List[str] = List()
            number = self.table.next_from(0)
            while number >= 0:
                parts.append(f"{self.table.key_of(number)!r}: {self.table.value_of(number)!r}")
                number = self.table.next_from(number + 1)
            return "{" + join_between(", ", parts.items, parts.length) + "}"
        finally:
            PRINTING.leaves()

    def keys(self) -> DictKeys[K, V]:
        """A view of the keys."""
        return DictKeys(self.table)

    def values(self) -> DictValues[K, V]:
        """A view of the values."""
        return DictValues(self.table)

    def items(self) -> DictItems[K, V]:
        """A view of the pairs of key and value."""
        return DictItems(self.table)

    def clear(self) -> None:
        """Take everything out."""
        self.table.reset(8)

    def copy(self) -> Dict[K, V]:
        """A new dict of the same keys and values."""
        result: Dict[K, V] = new()
        result.table.add_all(self.table)
        return result

    def popitem(self) -> tuple[K, V]:
        """Take the pair out that came last."""
        table = self.table
        if table.used == 0:
            raise KeyError("popitem(): dictionary is empty")
        number = table.count - 1
        pair = (table.key_of(number), table.value_of(number))
        table.remove(number)
        return pair


def new() -> Dict[K, V]:
    """An empty dict; for `{...}`."""
    result: Dict[K, V] = instance_new(class_descriptor(Dict))
    result.table = Table()
    return result


def put(target: Dict[K, V], key: K, value: V) -> None:
    """One pair of a `{...}`."""
    target.table.put(key, value)


@constructor(dict)
def empty_dict() -> Dict[K, V]:
    """`dict()`."""
    return new()


@constructor(dict)
def dict_of_dict(source: Dict[K, V], /) -> Dict[K, V]:
    """`dict(other)`: a plain one, whatever the other is."""
    result: Dict[K, V] = new()
    result.table.add_all(source.table)
    return result


@constructor(dict)
def dict_of_pairs(pairs: Iterable[tuple[K, V]], /) -> Dict[K, V]:
    """`dict(pairs)`."""
    result: Dict[K, V] = new()
    update_from_pairs(result, pairs)
    return result


@constructor(dict)
def dict_of_lists(pairs: Iterable[List[D]], /) -> Dict[D, D]:
    """`dict(line.split("=") for line in lines)`."""
    result: Dict[D, D] = new()
    count = 0
    for pair in pairs:
        if len(pair) != 2:
            reason = f"has length {len(pair)}; 2 is required"
            raise ValueError(f"dictionary update sequence element #{count} {reason}")
        result.table.put(pair[0], pair[1])
        count += 1  # noqa: SIM113 - enumerate is built on dicts
    return result


@constructor(dict)
def dict_of_names(**named: V) -> Dict[str, V]:
    """`dict(name=value)`."""
    result: Dict[str, V] = new()
    for name, value in named.items():
        result[name] = value
    return result


@method(dict, "update")
def update_from_dict(target: Dict[K, V], source: Dict[K, V], /) -> None:
    """Put every pair of another dict."""
    target.table.add_all(source.table)


@method(dict, "update")
def update_from_pairs(target: Dict[K, V], pairs: Iterable[tuple[K, V]], /) -> None:
    """Put every pair."""
    for key, value in pairs:
        target.table.put(key, value)


@method(dict, "update")
def update_from_names(target: Dict[str, V], /, **named: V) -> None:
    """Put every keyword."""
    for name, value in named.items():
        target.table.put(name, value)


@method(dict, "get")
def get(target: Dict[K, V], key: K, /) -> V | None:
    """The value of a key, or None."""
    number = target.table.find(key)
    return target.table.value_of(number) if number >= 0 else None


@method(dict, "get")
def get_or(target: Dict[K, V], key: K, default: D, /) -> V | D:
    """The value of a key, or the default."""
    number = target.table.find(key)
    return target.table.value_of(number) if number >= 0 else default


@method(dict, "setdefault")
def setdefault(target: Dict[K, V], key: K, default: V, /) -> V:
    """The value of a key, which gets the default when it has none."""
    number = target.table.find(key)
    if number >= 0:
        return target.table.value_of(number)
    target.table.put(key, default)
    return default


@method(dict, "pop")
def pop(target: Dict[K, V], key: K, /) -> V:
    """Take a key out; its value."""
    number = target.table.find(key)
    if number < 0:
        raise KeyError(key)
    value = target.table.value_of(number)
    target.table.remove(number)
    return value


@method(dict, "pop")
def pop_or(target: Dict[K, V], key: K, default: D, /) -> V | D:
    """Take a key out; its value, or the default when it is not there."""
    number = target.table.find(key)
    if number < 0:
        return default
    value = target.table.value_of(number)
    target.table.remove(number)
    return value


@static_method(dict)
def fromkeys(keys: Iterable[K], value: V, /) -> Dict[K, V]:
    """`dict.fromkeys(keys, value)`."""
    result: Dict[K, V] = new()
    for key in keys:
        result.table.put(key, value)
    return result


@static_method(dict, "fromkeys")
def fromkeys_none(keys: Iterable[K], /) -> Dict[K, None]:
    """`dict.fromkeys(keys)`."""
    return fromkeys(keys, None)
