"""collections, itertools, functools and user classes in containers, compiled, against CPython."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.wasm.compiled import compiled, outcome_of

SOURCE = """
import functools
import itertools
import string
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice, pairwise


class Point:
    def __init__(self, x: int) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Point):
            return NotImplemented
        return self.x == other.x

    def __hash__(self) -> int:
        return hash(self.x)

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Point):
            return NotImplemented
        return self.x < other.x

    def __repr__(self) -> str:
        return f"P{self.x}"


class Plain:
    pass


def counts(a: str, b: str) -> tuple[object, ...]:
    c = Counter(a)
    c["z"] += 2
    return (c.most_common(2), c["q"], c.total(), repr(c), list(c), repr(c + Counter(b)), repr(c - Counter(b)))


def tally(a: list[str]) -> list[tuple[str, int]]:
    d: defaultdict[str, int] = defaultdict(int)
    for each in a:
        d[each] += 1
    return list(d.items())


def window(a: list[int], n: int) -> tuple[object, ...]:
    d: deque[int] = deque(maxlen=n)
    for each in a:
        d.append(each)
    d.rotate(1)
    return (list(d), repr(d), len(d), d.pop())


def moved(a: list[str], key: str) -> tuple[object, ...]:
    d = OrderedDict([(each, len(each)) for each in a])
    d.move_to_end(key, last=False)
    return (list(d), repr(d))


def iterators(a: list[int], n: int) -> tuple[object, ...]:
    return (list(chain(a, (1, 2))), list(pairwise(a)), list(islice(itertools.count(5), 3)),
            list(islice(a, n)), functools.reduce(lambda x, y: x * 2 + y, a, 0), string.digits)


def points(a: list[int]) -> tuple[object, ...]:
    ps = [Point(x) for x in a]
    return (repr(sorted(ps)), len(set(ps)), Point(1) in ps, Point(1) == 1, repr(max(ps)),
            {Point(1): 2}[Point(1)])


def identity() -> tuple[object, ...]:
    a, b = Plain(), Plain()
    d = {a: 1, b: 2}
    return (d[a], d[b], a == b, a == a, len({a, b, a}))


def any_mapping(a: Mapping[str, int], k: str) -> tuple[object, ...]:
    return (a.get(k), a.get(k, 5), list(a.keys()), list(a.values()), list(a.items()), k in a, len(a), list(a))


def mapping(a: dict[str, int], k: str) -> tuple[object, ...]:
    return any_mapping(a, k)


def any_sequence(a: Sequence[int]) -> tuple[object, ...]:
    return (a[0], len(a), 3 in a, list(reversed(a)), [each for each in a])


def sequences(a: list[int]) -> tuple[object, ...]:
    return (any_sequence(a), any_sequence(tuple(a)), any_sequence(range(len(a))), any_sequence(bytes(a)))


def any_iterable(a: Iterable[int]) -> int:
    return sum(a)


def iterables(a: set[int], b: dict[int, int]) -> tuple[int, ...]:
    return (any_iterable(a), any_iterable(b), any_iterable(b.values()), any_iterable(frozenset(a)),
            any_iterable(map(lambda x: x + 1, a)))
"""
INTS = st.lists(st.integers(0, 5), max_size=6)
WORDS = st.lists(st.sampled_from(["a", "bb", "c", "dd"]), max_size=6)
CALLS: dict[str, tuple[st.SearchStrategy[Any], ...]] = {
    "counts": (st.text("abcz", max_size=8), st.text("abcz", max_size=8)),
    "tally": (WORDS,),
    "window": (INTS, st.integers(-1, 3)),
    "moved": (WORDS, st.sampled_from(["a", "bb"])),
    "iterators": (INTS, st.integers(-1, 4)),
    "points": (INTS,),
    "identity": (),
    "mapping": (st.dictionaries(st.sampled_from("abc"), st.integers(), max_size=3), st.sampled_from("ab")),
    "sequences": (INTS,),
    "iterables": (st.sets(st.integers(0, 9)), st.dictionaries(st.integers(0, 9), st.integers(0, 9))),
}
REAL: dict[str, Any] = {}
exec(SOURCE, REAL)


@pytest.mark.parametrize("name", sorted(CALLS))
@settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_compiled_as_in_cpython(name: str, data: st.DataObject) -> None:
    arguments = [data.draw(each) for each in CALLS[name]]
    assert compiled(SOURCE).outcome(name, *arguments) == outcome_of(REAL[name], *arguments)
