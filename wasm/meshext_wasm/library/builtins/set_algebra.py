"""What sets, frozen sets and the views of dicts compute with: tables of keys whose values are None."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from meshext_wasm.library.builtins.hashing import hash_wide
from meshext_wasm.library.builtins.lists import List
from meshext_wasm.library.builtins.tables import Table
from meshext_wasm.library.builtins.text import join_between
from meshext_wasm.library.raw import wide

T = TypeVar("T")


def table_of(items: Iterable[T]) -> Table[T, None]:
    """Each item once, in the order of their first coming."""
    result: Table[T, None] = Table()
    add_items(result, items)
    return result


def add_items(table: Table[T, None], items: Iterable[T]) -> None:
    """Put every item."""
    for each in items:
        table.put(each, None)


def add_keys(table: Table[T, None], other: Table[T, None]) -> None:
    """Put every key of another table, which may be the same."""
    if other is not table:
        table.add_all(other)


def drop_keys(table: Table[T, None], other: Table[T, None]) -> None:
    """Take out what the other has."""
    if other is table:
        table.reset(8)
        return
    number = other.next_from(0)
    while number >= 0:
        found = table.find(other.key_of(number))
        if found >= 0:
            table.remove(found)
        number = other.next_from(number + 1)


def kept_keys(table: Table[T, None], other: Table[T, None], wanted: bool) -> Table[T, None]:
    """The keys that the other has, or those that it does not have."""
    result: Table[T, None] = Table()
    number = table.next_from(0)
    while number >= 0:
        key = table.key_of(number)
        if (other.find(key) >= 0) == wanted:
            result.put(key, None)
        number = table.next_from(number + 1)
    return result


def either_keys(table: Table[T, None], other: Table[T, None]) -> Table[T, None]:
    """The keys that only one of the two has."""
    result = kept_keys(table, other, False)
    result.add_all(kept_keys(other, table, False))
    return result


def is_within(table: Table[T, None], other: Table[T, None]) -> bool:
    """Whether the other has every key."""
    if table.used > other.used:
        return False
    number = table.next_from(0)
    while number >= 0:
        if other.find(table.key_of(number)) < 0:
            return False
        number = table.next_from(number + 1)
    return True


def is_apart(table: Table[T, None], other: Table[T, None]) -> bool:
    """Whether no key is in both."""
    number = table.next_from(0)
    while number >= 0:
        if other.find(table.key_of(number)) >= 0:
            return False
        number = table.next_from(number + 1)
    return True


def keys_repr(table: Table[T, None]) -> str:
    """`{1, 2}`; `{}` for none."""
    parts: List[str] = List()
    number = table.next_from(0)
    while number >= 0:
        parts.append(repr(table.key_of(number)))
        number = table.next_from(number + 1)
    return "{" + join_between(", ", parts.items, parts.length) + "}"


def keys_hash(table: Table[T, None]) -> wide:
    """A hash that does not depend on the order."""
    result = wide(table.used) * wide(1927868237)
    number = table.next_from(0)
    while number >= 0:
        each = hash_wide(table.key_of(number))
        result = result ^ ((each ^ (each << wide(16)) ^ wide(89869747)) * wide(3644798167))
        number = table.next_from(number + 1)
    result = result ^ (result >> wide(11)) ^ (result >> wide(25))
    return result * wide(69069) + wide(907133923)
