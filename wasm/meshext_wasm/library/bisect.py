"""bisect: places in a sorted list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from meshext_wasm.library.builtins.objects import less

T = TypeVar("T")


def bisect_left(
    a: Sequence[T], x: object, lo: int = 0, hi: int | None = None, *, key: Callable[[T], object] | None = None
) -> int:
    """The first place whose item is not less than x."""
    low, high = bounds_of(lo, len(a) if hi is None else hi)
    while low < high:
        middle = (low + high) // 2
        if less(a[middle] if key is None else key(a[middle]), x):
            low = middle + 1
        else:
            high = middle
    return low


def bisect_right(
    a: Sequence[T], x: object, lo: int = 0, hi: int | None = None, *, key: Callable[[T], object] | None = None
) -> int:
    """The first place whose item is greater than x."""
    low, high = bounds_of(lo, len(a) if hi is None else hi)
    while low < high:
        middle = (low + high) // 2
        if less(x, a[middle] if key is None else key(a[middle])):
            high = middle
        else:
            low = middle + 1
    return low


def bounds_of(low: int, high: int) -> tuple[int, int]:
    """Where to look; there is nothing before the first item."""
    if low < 0:
        raise ValueError("lo must be non-negative")
    return low, high


def insort_left(
    a: list[T], x: T, lo: int = 0, hi: int | None = None, *, key: Callable[[T], object] | None = None
) -> None:
    """Put x into a sorted list, before those that are equal."""
    a.insert(bisect_left(a, x if key is None else key(x), lo, hi, key=key), x)


def insort_right(
    a: list[T], x: T, lo: int = 0, hi: int | None = None, *, key: Callable[[T], object] | None = None
) -> None:
    """Put x into a sorted list, behind those that are equal."""
    a.insert(bisect_right(a, x if key is None else key(x), lo, hi, key=key), x)


def bisect(
    a: Sequence[T], x: object, lo: int = 0, hi: int | None = None, *, key: Callable[[T], object] | None = None
) -> int:
    """`bisect_right`."""
    return bisect_right(a, x, lo, hi, key=key)


def insort(
    a: list[T], x: T, lo: int = 0, hi: int | None = None, *, key: Callable[[T], object] | None = None
) -> None:
    """`insort_right`."""
    insort_right(a, x, lo, hi, key=key)
