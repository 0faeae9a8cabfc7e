"""Indices, widths and counts that no machine has: the texts of CPython's failures, compiled too."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wasm.compiled import compiled, outcome_of

SOURCE = """
def list_item(n: int) -> object:
    return [1][n]
def tuple_item(n: int) -> object:
    return tuple([1])[n]
def text_item(n: int) -> object:
    return "a"[n]
def bytes_item(n: int) -> object:
    return b"a"[n]
def list_set(n: int) -> object:
    a = [1]
    a[n] = 2
    return a
def list_delete(n: int) -> object:
    a = [1]
    del a[n]
    return a
def list_pop(n: int) -> object:
    return [1].pop(n)
def list_insert(n: int) -> object:
    a = [1]
    a.insert(n, 2)
    return a
def list_index(n: int) -> object:
    return [1].index(1, n)
def list_times(n: int) -> object:
    return [1] * n
def tuple_times(n: int) -> object:
    return tuple([1]) * n
def text_times(n: int) -> object:
    return "ab" * n
def bytes_times(n: int) -> object:
    return b"ab" * n
def text_width(n: int) -> object:
    return "a".ljust(n)
def text_zeros(n: int) -> object:
    return "a".zfill(n)
def text_split(n: int) -> object:
    return "a b".split(None, n)
def text_replace(n: int) -> object:
    return "a b".replace("a", "b", n)
def bytes_replace(n: int) -> object:
    return b"a b".replace(b"a", b"b", n)
def text_tabs(n: int) -> object:
    return "a".expandtabs(n)
def text_find(n: int) -> object:
    return "a".find("a", n)
def text_cut(n: int) -> object:
    return "abc"[n:]
def character(n: int) -> object:
    return chr(n)
def range_item(n: int) -> object:
    return range(3)[n]
"""
REAL: dict[str, Any] = {}
exec(SOURCE, REAL)
NAMES = [name for name in REAL if name != "__builtins__"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("number", [1 << 70, -(1 << 70), 1 << 63, -(1 << 63), 1 << 62, -1, 0])
def test_as_in_cpython(name: str, number: int) -> None:
    assert compiled(SOURCE).outcome(name, number) == outcome_of(REAL[name], number)
