"""list, tuple, dict, set, range and the functions over them, compiled, against CPython."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.wasm.compiled import compiled, outcome_of

SOURCE = """
def list_items(a: list[int], i: int, x: int) -> tuple[object, ...]:
    b = a.copy()
    b.append(x)
    b.insert(i, x)
    b.extend(a)
    b += (x, x)
    b.reverse()
    return (b, b.count(x), b.index(x), x in b, b * 2, b + a, len(b), b == a, b < a)

def list_item(a: list[int], i: int) -> int:
    return a[i]

def list_pop(a: list[int], i: int) -> tuple[object, ...]:
    first = a.pop()
    return (first, a.pop(i), a)

def list_remove(a: list[int], x: int) -> list[int]:
    a.remove(x)
    return a

def list_set(a: list[int], i: int, x: int) -> list[int]:
    a[i] = x
    del a[i - 1]
    return a

def list_cut(a: list[int], i: int | None, j: int | None, k: int | None) -> list[int]:
    return a[i:j:k]

def list_put(a: list[int], b: list[int], i: int | None, j: int | None, k: int | None) -> list[int]:
    a[i:j:k] = b
    return a

def list_drop(a: list[int], i: int | None, j: int | None, k: int | None) -> list[int]:
    del a[i:j:k]
    return a

def sorts(a: list[int], down: bool) -> tuple[object, ...]:
    b = sorted(a, key=lambda x: x % 3, reverse=down)
    a.sort(reverse=down)
    return (a, b, sorted(a))

def sort_pairs(a: list[tuple[int, str]]) -> list[tuple[int, str]]:
    return sorted(a)

def sort_mixed(a: list[object]) -> list[object]:
    return sorted(a, key=lambda x: x)

def least(a: list[int]) -> tuple[int, int]:
    return (min(a), max(a, key=lambda x: -x))

def least_or(a: list[int], x: int) -> tuple[object, ...]:
    return (min(a, default="none"), max(x, 3, *a), min(x, 5), sum(a), sum(a, x), any(a), all(a))

def tuples(a: tuple[int, ...], b: tuple[int, ...], i: int) -> tuple[object, ...]:
    return (a + b, a * 2, a == b, a < b, a >= b, i in a, a.count(i), a[::-1], hash(a), len(a), repr(a),
            list(a))

def tuple_item(a: tuple[int, ...], i: int) -> int:
    return a[i]

def dict_items(a: dict[object, int], k: object, x: int) -> tuple[object, ...]:
    b = dict(a)
    b[k] = x
    return (b, list(b), list(b.keys()), list(b.values()), list(b.items()), k in a, a.get(k), a.get(k, x),
            len(b), a == b, a | b, b.setdefault(k, 0), b.pop(k), b.pop(k, None), b, repr(a.items()))

def dict_item(a: dict[object, int], k: object) -> int:
    return a[k]

def dict_del(a: dict[object, int], k: object) -> dict[object, int]:
    del a[k]
    return a

def dict_last(a: dict[object, int]) -> tuple[object, ...]:
    return (a.popitem(), a)

def dict_grows(a: dict[int, int]) -> int:
    for key in a:
        a[key + 100] = 1
    return len(a)

def dict_made(a: list[tuple[int, str]]) -> tuple[object, ...]:
    b = dict(a)
    b.update({1: "one"})
    c = {key: value for key, value in a}
    return (b, c, dict.fromkeys([1, 2]), {**c, 5: "five"}, dict(x=1, y=2))

def sets(a: set[int], b: set[int], x: int) -> tuple[object, ...]:
    c = set(a)
    c.add(x)
    return (a | b, a & b, a - b, a ^ b, a == b, a <= b, a < b, x in a, c, a.union([x]), a.isdisjoint(b),
            frozenset(a) == a, len(c), {each % 2 for each in a})

def set_remove(a: set[int], x: int) -> set[int]:
    a.discard(5)
    a.remove(x)
    return a

def pairs(a: list[int], b: list[int], strict: bool) -> list[tuple[int, int]]:
    return list(zip(a, b, strict=strict))

def adapters(a: list[int]) -> tuple[object, ...]:
    return (list(enumerate(a, 1)), list(map(lambda x: x + 1, a)), list(filter(lambda x: x > 1, a)),
            list(filter(None, a)), list(reversed(a)), [x for x in reversed(range(4))], next(iter(a), -1))

def ranges(a: int, b: int, c: int, x: int) -> tuple[object, ...]:
    r = range(a, b, c)
    return (list(r), len(r), x in r, repr(r), list(r[1:]), r == range(a, b, c), list(reversed(r)), bool(r))


def recursive() -> str:
    a: list[object] = [1]
    a.append(a)
    b: dict[str, object] = {"a": a}
    b["b"] = b
    return repr(a) + repr(b)

def loops(a: list[int]) -> int:
    total = 0
    for i, x in enumerate(a):
        if x == 3:
            continue
        if x == 4:
            break
        total += i * x
    else:
        total = -total
    return total
"""
INTS = st.lists(st.integers(0, 5), max_size=7)
SMALL = st.integers(-6, 6)
BOUND = st.none() | SMALL
KEY = st.sampled_from([0, 1, 1.0, True, None, "a", "", (1, 2), (1.0, 2), 1 << 70, b"a"])
DICT = st.dictionaries(KEY, SMALL, max_size=6)
SET = st.sets(st.integers(0, 6), max_size=6)
TUPLE = st.lists(SMALL, max_size=5).map(tuple)
PAIRS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b", "é"])), max_size=5)

CALLS: dict[str, tuple[st.SearchStrategy[Any], ...]] = {
    "list_items": (INTS, SMALL, st.integers(0, 5)),
    "list_item": (INTS, SMALL),
    "list_pop": (INTS, SMALL),
    "list_remove": (INTS, st.integers(0, 5)),
    "list_set": (INTS, SMALL, SMALL),
    "list_cut": (INTS, BOUND, BOUND, BOUND),
    "list_put": (INTS, INTS, BOUND, BOUND, BOUND),
    "list_drop": (INTS, BOUND, BOUND, BOUND),
    "sorts": (st.lists(SMALL, max_size=90), st.booleans()),
    "sort_pairs": (PAIRS,),
    "sort_mixed": (st.lists(st.sampled_from([1, 2, "a", None]), max_size=3),),
    "least": (INTS,),
    "least_or": (INTS, SMALL),
    "tuples": (TUPLE, TUPLE, SMALL),
    "tuple_item": (TUPLE, SMALL),
    "dict_items": (DICT, KEY, SMALL),
    "dict_item": (DICT, KEY),
    "dict_del": (DICT, KEY),
    "dict_last": (DICT,),
    "dict_grows": (st.dictionaries(SMALL, SMALL, max_size=3),),
    "dict_made": (PAIRS,),
    "sets": (SET, SET, SMALL),
    "set_remove": (SET, SMALL),
    "pairs": (INTS, INTS, st.booleans()),
    "adapters": (INTS,),
    "ranges": (SMALL, SMALL, SMALL, SMALL),
    "recursive": (),
    "loops": (INTS,),
}
REAL: dict[str, Any] = {}
exec(SOURCE, REAL)


@pytest.mark.parametrize("name", sorted(CALLS))
@settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_compiled_as_in_cpython(name: str, data: st.DataObject) -> None:
    arguments = [data.draw(each) for each in CALLS[name]]
    ours = compiled(SOURCE).outcome(name, *arguments)
    assert ours == outcome_of(REAL[name], *arguments)
