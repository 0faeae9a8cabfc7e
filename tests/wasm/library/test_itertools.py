"""itertools, functools and string of the run-time library against the real ones."""

from __future__ import annotations

import functools
import itertools
import string

from hypothesis import given
from hypothesis import strategies as st

from meshext_wasm.library import functools as our_functools
from meshext_wasm.library import itertools as ours
from meshext_wasm.library import string as our_string
from meshext_wasm.library.builtins.lists import List
from tests.wasm.library.same import assert_same

ITEMS = st.lists(st.integers(-3, 3), max_size=6)
BOUND = st.none() | st.integers(-1, 7)


@given(ITEMS, ITEMS)
def test_iterators(first: list[int], second: list[int]) -> None:
    one, two = List(first), List(second)
    assert list(ours.chain.from_iterable(List([one, two]))) == first + second
    assert list(ours.pairwise(one)) == list(itertools.pairwise(first))
    assert list(ours.product(one, two)) == list(itertools.product(first, second))
    assert list(ours.takewhile(lambda item: item < 1, one)) == list(
        itertools.takewhile(lambda item: item < 1, first)
    )
    assert list(ours.dropwhile(lambda item: item < 1, one)) == list(
        itertools.dropwhile(lambda item: item < 1, first)
    )
    assert list(ours.filterfalse(None, one)) == list(itertools.filterfalse(None, first))
    assert list(ours.accumulate(one, lambda left, right: left + right)) == list(itertools.accumulate(first))
    assert list(ours.islice(ours.cycle(one), 8)) == list(itertools.islice(itertools.cycle(first), 8))
    assert list(ours.islice(ours.count(3, 2), 4)) == [3, 5, 7, 9]
    assert list(ours.repeat("a", 3)) == list(itertools.repeat("a", 3))


@given(ITEMS, BOUND, BOUND, BOUND)
def test_islice(items: list[int], start: int | None, stop: int | None, step: int | None) -> None:
    assert_same(
        lambda: list(ours.islice(List(items), start, stop, step)),
        lambda: list(itertools.islice(items, start, stop, step)),
    )
    assert_same(lambda: list(ours.islice(List(items), stop)), lambda: list(itertools.islice(items, stop)))


def compare(left: int, right: int) -> int:
    """By the rest of 3, downwards."""
    return right % 3 - left % 3


@given(ITEMS)
def test_functools(items: list[int]) -> None:
    assert our_functools.reduce(lambda left, right: left * 2 + right, List(items), 1) == functools.reduce(
        lambda left, right: left * 2 + right, items, 1
    )
    ours_sorted, real = List(items), list(items)
    ours_sorted.sort(key=our_functools.cmp_to_key(compare))
    real.sort(key=functools.cmp_to_key(compare))
    assert list(ours_sorted) == real


def test_string() -> None:
    names = [name for name in vars(our_string) if not name.startswith("_")]
    assert {name: getattr(our_string, name) for name in names} == {
        name: getattr(string, name) for name in names
    }
