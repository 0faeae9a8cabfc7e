"""dict, set and frozenset of the run-time library against the real ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext_wasm.library.builtins import dicts, tuples
from meshext_wasm.library.builtins.dicts import Dict
from meshext_wasm.library.builtins.sets import FrozenSet, Set
from tests.wasm.library.same import assert_same, outcome

KEYS = st.sampled_from([0, 1, 1.0, True, None, "a", "b", "", "long", (1, 2), (1, 2.0), (), 1 << 70, -1, 2])
STEPS = st.lists(
    st.tuples(st.sampled_from("put del get pop default popitem clear has".split()), KEYS), max_size=60
)


def step(
    target: Any, name: str, key: object, value: object, pop: Callable[..., object], default: Any
) -> object:
    """One thing that is done with a dict."""
    match name:
        case "put":
            target[key] = value
        case "del":
            del target[key]
        case "get":
            return target[key]
        case "pop":
            return pop(target, key)
        case "default":
            return default(target, key, value)
        case "popitem":
            return target.popitem()
        case "clear":
            target.clear()
        case "has":
            return key in target
    return None


@given(STEPS)
def test_dict_does_what_dict_does(steps: list[tuple[str, object]]) -> None:
    ours: Dict[object, object] = dicts.new()
    real: dict[object, object] = {}
    for number, (name, key) in enumerate(steps):
        mine = outcome(step, ours, name, key, number, dicts.pop, dicts.setdefault)
        assert mine == outcome(step, real, name, key, number, dict.pop, dict.setdefault)
        assert len(ours) == len(real)
    assert repr(ours) == repr(real)
    assert repr(ours.keys()) == repr(real.keys())
    assert repr(ours.values()) == repr(real.values())
    assert repr(ours.items()) == repr(real.items())
    assert list(ours) == list(real)
    assert list(reversed(ours)) == list(reversed(real))


@given(st.lists(st.tuples(KEYS, KEYS)), st.lists(st.tuples(KEYS, KEYS)))
def test_dicts_compare_and_join(
    left: list[tuple[object, object]], right: list[tuple[object, object]]
) -> None:
    ours, others = dicts.dict_of_pairs(left), dicts.dict_of_pairs(right)
    real, reals = dict(left), dict(right)
    assert (ours == others) is (real == reals)
    assert repr(ours | others) == repr(real | reals)
    assert repr(dicts.fromkeys([key for key, _ in left], 1)) == repr(
        dict.fromkeys([key for key, _ in left], 1)
    )
    assert set(ours.keys() & others.keys()) == real.keys() & reals.keys()
    assert (ours.keys() <= others.keys()) is (real.keys() <= reals.keys())
    assert ((1, 1) in ours.items()) is ((1, 1) in real.items())


@pytest.mark.parametrize("made", [lambda: dicts.dict_of_pairs([(1, 2), (3, 4)]), lambda: {1: 2, 3: 4}])
def test_a_dict_that_grows_while_it_is_iterated(made: Callable[[], Any]) -> None:
    with pytest.raises(RuntimeError, match="dictionary changed size during iteration"):
        grow(made())


def grow(target: Any) -> None:
    """Add keys while going over them."""
    for key in target:
        target[key + 10] = 1


def test_many_keys_come_and_go() -> None:
    target: Dict[int, int] = dicts.new()
    for number in range(500):
        target[number] = number
        if number >= 5:
            del target[number - 5]
    assert list(target) == [495, 496, 497, 498, 499]


def test_recursive_repr() -> None:
    target: Dict[int, object] = dicts.new()
    target[1] = target
    assert repr(target) == "{1: {...}}"


ITEMS = st.lists(st.integers(0, 6) | st.sampled_from(["a", "b", (1,)]), max_size=8)


@given(ITEMS, ITEMS, st.sampled_from([(Set, set), (FrozenSet, frozenset)]))
def test_sets(left: list[object], right: list[object], classes: tuple[Any, Any]) -> None:
    made, real = classes
    one, two, first, second = made(left), made(right), real(left), real(right)
    for name in "__or__ __and__ __sub__ __xor__".split():
        assert set(getattr(one, name)(two)) == getattr(first, name)(second)
    for name in "union intersection difference symmetric_difference".split():
        assert set(getattr(one, name)(right)) == getattr(first, name)(right)
    for name in "__eq__ __lt__ __le__ __gt__ __ge__ issubset issuperset isdisjoint".split():
        assert getattr(one, name)(two) is getattr(first, name)(second)
    assert (3 in one) is (3 in first)
    assert len(one) == len(first)
    assert hash(FrozenSet(left)) == hash(FrozenSet([*left[1:], *left[:1]]))


@given(
    ITEMS,
    ITEMS,
    st.sampled_from("update intersection_update difference_update symmetric_difference_update".split()),
)
def test_sets_change(left: list[object], right: list[object], name: str) -> None:
    ours, real = Set(left), set(left)
    getattr(ours, name)(right)
    getattr(real, name)(right)
    assert set(ours) == real
    for item in right:
        assert outcome(ours.remove, item) == outcome(real.remove, item)
        ours.add(item)
        real.add(item)
        ours.discard(3)
        real.discard(3)
        assert set(ours) == real


def test_reprs_of_sets() -> None:
    assert [repr(Set([])), repr(Set([1])), repr(Set([1, 2]))] == ["set()", "{1}", "{1, 2}"]
    assert [repr(FrozenSet([])), repr(FrozenSet([1]))] == ["frozenset()", "frozenset({1})"]
    assert_same(lambda: Set([]).pop(), lambda: set().pop())
    assert_same(lambda: Set([Set([])]), lambda: {set()})


TUPLES = st.lists(st.integers(-3, 3) | st.floats(allow_nan=False), max_size=5).map(tuple)
BOUNDS = st.none() | st.integers(-7, 7)


@given(TUPLES, TUPLES, st.integers(-1, 3))
def test_tuples(left: tuple[float, ...], right: tuple[float, ...], times: int) -> None:
    assert tuples.hash_of_tuple(left) == hash(left)
    assert tuples.add_tuple(left, right) == left + right
    assert tuples.multiply_tuple(left, times) == left * times
    assert tuples.equal_tuple(left, right) is (left == right)
    assert tuples.less_tuple(left, right) is (left < right)
    assert tuples.less_equal_tuple(left, right) is (left <= right)
    assert tuples.greater_tuple(left, right) is (left > right)
    assert tuples.greater_equal_tuple(left, right) is (left >= right)
    assert tuples.repr_of_tuple(left) == repr(left)
    assert_same(tuples.index_in_tuple, tuple.index, left, times)
    assert tuples.count_in_tuple(left, times) == left.count(times)
    assert tuples.contains_in_tuple(left, times) is (times in left)
    assert tuples.tuple_of(list(left)) == left


@given(TUPLES, BOUNDS, BOUNDS, BOUNDS)
def test_slices_of_tuples(
    items: tuple[float, ...], start: int | None, stop: int | None, step: int | None
) -> None:
    assert_same(tuples.slice_of_tuple, lambda items, *bounds: items[slice(*bounds)], items, start, stop, step)
    assert_same(tuples.item_of_tuple, lambda items, index: items[index], items, start)
