"""list of the run-time library, sorting, and the functions over iterables, against the real ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext_wasm.library.builtins import adapters, functions, ranges
from meshext_wasm.library.builtins.lists import List
from tests.wasm.library.same import assert_same, outcome

ITEMS = st.lists(st.integers(0, 5) | st.sampled_from([1.0, True, "a", None]), max_size=10)
INTS = st.lists(st.integers(-5, 5), max_size=10)
BOUNDS = st.none() | st.integers(-12, 12)

CHANGES: dict[str, Callable[..., object]] = {
    "append": lambda target, item, place: target.append(item),
    "insert": lambda target, item, place: target.insert(place, item),
    "pop": lambda target, item, place: target.pop(place),
    "pop last": lambda target, item, place: target.pop(),
    "remove": lambda target, item, place: target.remove(item),
    "set": lambda target, item, place: target.__setitem__(place, item),
    "del": lambda target, item, place: target.__delitem__(place),
    "get": lambda target, item, place: target[place],
    "index": lambda target, item, place: target.index(item, place),
    "index to": lambda target, item, place: target.index(item, -5, place),
    "count": lambda target, item, place: target.count(item),
    "in": lambda target, item, place: item in target,
    "reverse": lambda target, item, place: target.reverse(),
    "extend": lambda target, item, place: target.extend((item, place)),
    "extend self": lambda target, item, place: target.extend(target) if len(target) < 20 else None,
    "times": lambda target, item, place: target.__imul__(place % 3) and None,
    "clear": lambda target, item, place: target.clear(),
}
STEPS = st.lists(
    st.tuples(st.sampled_from(sorted(CHANGES)), st.sampled_from([1, 2, "a", None, 1.0]), st.integers(-6, 6)),
    max_size=30,
)


@given(ITEMS, STEPS)
def test_list_does_what_list_does(items: list[object], steps: list[tuple[str, object, int]]) -> None:
    ours, real = List(items), list(items)
    for name, item, place in steps:
        assert outcome(CHANGES[name], ours, item, place) == outcome(CHANGES[name], real, item, place)
        assert repr(ours) == repr(real)
    assert list(ours) == real
    assert list(reversed(ours)) == list(reversed(real))


Bounds = tuple[int | None, int | None, int | None]


def assign(target: Any, bounds: Bounds, values: list[object]) -> str:
    """Assign to a slice; the list after it."""
    if isinstance(target, List):
        start, stop, step = bounds
        target.__setslice__(start, stop, step, values)
    else:
        target[slice(*bounds)] = values
    return repr(target)


def delete(target: Any, bounds: Bounds) -> str:
    """Delete a slice; the list after it."""
    if isinstance(target, List):
        target.__delslice__(*bounds)
    else:
        del target[slice(*bounds)]
    return repr(target)


@given(ITEMS, ITEMS, BOUNDS, BOUNDS, BOUNDS)
def test_slices(
    items: list[object], values: list[object], start: int | None, stop: int | None, step: int | None
) -> None:
    bounds = (start, stop, step)
    assert_same(List(items).__getslice__, lambda *bounds: items[slice(*bounds)], *bounds)
    assert outcome(assign, List(items), bounds, values) == outcome(assign, list(items), bounds, values)
    assert outcome(delete, List(items), bounds) == outcome(delete, list(items), bounds)


@given(INTS, INTS, st.integers(-1, 3))
def test_operators(left: list[int], right: list[int], times: int) -> None:
    one, two = List(left), List(right)
    assert repr(one + two) == repr(left + right)
    assert repr(one * times) == repr(left * times)
    for name in "__eq__ __lt__ __le__ __gt__ __ge__".split():
        assert getattr(one, name)(two) is getattr(left, name)(right)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers()), max_size=200), st.booleans())
def test_sort_is_stable(items: list[tuple[int, int]], reverse: bool) -> None:
    ours = functions.sorted_of(items, key=lambda item: item[0], reverse=reverse)
    assert list(ours) == sorted(items, key=lambda item: item[0], reverse=reverse)
    assert list(functions.sorted_of(items, reverse=reverse)) == sorted(items, reverse=reverse)


@pytest.mark.parametrize("items", [[1, "a"], ["a", 1], [2, 1, None], [(1, 2), (1, "b")], [1.5, b"", 2]])
def test_what_has_no_order(items: list[object]) -> None:
    assert_same(functions.sorted_of, sorted, items)
    assert_same(functions.min_of_items, min, items)
    assert_same(functions.max_of_items, max, items)


@given(INTS)
def test_functions(items: list[int]) -> None:
    assert_same(functions.min_of_items, min, List(items))
    assert_same(functions.max_of_items, max, List(items))
    assert functions.min_or_default(items, default="no") == min(items, default="no")
    assert functions.max_or_default(items, key=abs, default="no") == max(items, key=abs, default="no")
    assert functions.min_of_several(3, 1, *items) == min(3, 1, *items)
    assert functions.max_of_several(3, 1, *items, key=abs) == max(3, 1, *items, key=abs)
    assert functions.sum_of_ints(items, 2) == sum(items, 2)
    assert functions.any_of(items) is any(items)
    assert functions.all_of(items) is all(items)
    assert list(functions.reversed_sequence(List(items))) == items[::-1]


@given(INTS, INTS, INTS, st.booleans())
def test_adapters(first: list[int], second: list[int], third: list[int], strict: bool) -> None:
    a, b, c = List(first), List(second), List(third)
    assert_same(
        lambda: list(adapters.zip_two(a, b, strict=strict)), lambda: list(zip(first, second, strict=strict))
    )
    assert_same(
        lambda: list(adapters.zip_three(a, b, c, strict=strict)),
        lambda: list(zip(first, second, third, strict=strict)),
    )
    assert list(adapters.zip_any()) == list(zip())
    assert list(adapters.Enumerate(a, 3)) == list(enumerate(first, 3))
    assert list(adapters.Map(lambda item: item * 2, a)) == [item * 2 for item in first]
    assert list(adapters.Filter(None, a)) == [item for item in first if item]
    assert list(adapters.Filter(lambda item: item > 1, a)) == [item for item in first if item > 1]


NUMBERS = st.integers(-9, 9)


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS, BOUNDS, BOUNDS, BOUNDS)
def test_ranges(
    start: int, stop: int, step: int, item: int, low: int | None, high: int | None, by: int | None
) -> None:
    assert_same(ranges.range_between, range, start, stop, step)
    if step == 0:
        return
    ours, real = ranges.range_between(start, stop, step), range(start, stop, step)
    assert list(ours) == list(real)
    assert list(reversed(ours)) == list(reversed(real))
    assert len(ours) == len(real)
    assert (item in ours) is (item in real)
    assert ((item + 0.5) in ours) is ((item + 0.5) in real)
    assert_same(ours.index, real.index, item)
    assert_same(lambda index: ours[index], lambda index: real[index], item)
    assert_same(ours.__getslice__, lambda *bounds: real[slice(*bounds)], low, high, by)
    assert hash(ours) == hash(real)
    assert (ours == ranges.range_to(stop)) is (real == range(stop))


def test_iterators() -> None:
    source = List([1]).__iter__()
    assert functions.next_of(source) == 1
    assert functions.next_or(source, "end") == "end"
    with pytest.raises(StopIteration):
        functions.next_of(source)
    holder: List[object] = List([1])
    holder.append(holder)
    assert repr(holder) == "[1, [...]]"
