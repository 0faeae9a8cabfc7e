"""collections of the run-time library against the real one."""

from __future__ import annotations

import collections
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from meshext_wasm.library import collections as ours
from tests.wasm.library.same import assert_same, outcome

ITEMS = st.lists(st.sampled_from("abc"), max_size=9)
STEPS: dict[str, Callable[..., object]] = {
    "append": lambda target, item: target.append(item),
    "appendleft": lambda target, item: target.appendleft(item),
    "pop": lambda target, item: target.pop(),
    "popleft": lambda target, item: target.popleft(),
    "rotate": lambda target, item: target.rotate(item),
    "extend": lambda target, item: target.extend([item, 1]),
    "extendleft": lambda target, item: target.extendleft([item, 1]),
    "get": lambda target, item: target[item],
    "in": lambda target, item: item in target,
    "count": lambda target, item: target.count(item),
    "clear": lambda target, item: target.clear(),
}


@given(
    st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(-3, 3)), max_size=40),
    st.none() | st.integers(0, 4),
)
def test_deque(steps: list[tuple[str, int]], limit: int | None) -> None:
    mine: ours.deque[int] = ours.deque((), limit)
    real: collections.deque[int] = collections.deque(maxlen=limit)
    for name, item in steps:
        assert outcome(STEPS[name], mine, item) == outcome(STEPS[name], real, item)
        assert (list(mine), len(mine), repr(mine)) == (list(real), len(real), repr(real))
    assert mine == mine.copy()


@given(ITEMS, ITEMS)
def test_counter(first: list[str], second: list[str]) -> None:
    one, two = ours.Counter(first), ours.Counter(second)
    real, other = collections.Counter(first), collections.Counter(second)
    assert one.most_common() == real.most_common()
    assert one.most_common(1) == real.most_common(1)
    assert (repr(one), one["a"], one["z"], one.total()) == (repr(real), real["a"], real["z"], real.total())
    assert repr(one + two) == repr(real + other)
    assert repr(one - two) == repr(real - other)
    assert list(one.elements()) == list(real.elements())
    one.subtract(second)
    real.subtract(second)
    assert repr(one) == repr(real)


@given(ITEMS)
def test_defaultdict(keys: list[str]) -> None:
    mine: ours.defaultdict[str, int] = ours.defaultdict(lambda: 5)
    real: collections.defaultdict[str, int] = collections.defaultdict(lambda: 5)
    for key in keys:
        mine[key] += 1
        real[key] += 1
    assert repr(list(mine.items())) == repr(list(real.items()))
    assert_same(ours.defaultdict(None).__getitem__, collections.defaultdict(None).__getitem__, "a")


@given(ITEMS, st.sampled_from("abc"), st.booleans())
def test_ordered_dict(keys: list[str], key: str, last: bool) -> None:
    mine = ours.OrderedDict([(each, 1) for each in keys])
    real = collections.OrderedDict([(each, 1) for each in keys])
    assert_same(lambda: mine.move_to_end(key, last), lambda: real.move_to_end(key, last))
    assert repr(mine) == repr(real)
