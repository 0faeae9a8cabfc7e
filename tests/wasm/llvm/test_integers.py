"""Fast ways for small ints against Python's own ints."""

from __future__ import annotations

import operator
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshext_wasm.llvm.names import FEWEST, MOST, tagged
from tests.wasm.llvm.operations import SLOWLY, run

EDGES = [0, 1, -1, 2, 7, -7, 61, 62, 63, 64, 1 << 31, -(1 << 31), 1 << 32, MOST, FEWEST, MOST - 1, FEWEST + 1]
SMALL = st.sampled_from(EDGES) | st.integers(FEWEST, MOST) | st.integers(-100, 100)
TWO = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "and": operator.and_,
    "or": operator.or_,
    "xor": operator.xor,
    "lshift": operator.lshift,
    "rshift": operator.rshift,
}
COMPARE = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "eq": operator.eq,
    "ne": operator.ne,
}
ALWAYS_FAST = {"add", "sub", "and", "or", "xor"}


def reference(name: str, a: int, b: int) -> int | None:
    """Python's result; None where it raises or is enormous."""
    if name in ("lshift", "rshift") and not 0 <= b <= 1000:
        return None if b < 0 or name == "lshift" else a >> 1000
    try:
        return int(TWO[name](a, b))
    except ZeroDivisionError:
        return None


@pytest.mark.parametrize("name", TWO)
@settings(max_examples=300, deadline=None)
@given(SMALL, SMALL)
def test_two_small_ints(name: str, a: int, b: int) -> None:
    result, expected = run(f"int.{name}", tagged(a), tagged(b)), reference(name, a, b)
    if result != SLOWLY:
        assert expected is not None
        assert result == tagged(expected)
    elif name in ALWAYS_FAST:
        assert expected is not None
        assert not FEWEST <= expected <= MOST


@pytest.mark.parametrize(
    ("name", "a", "b"),
    [
        ("mul", 1 << 30, 1 << 29),
        ("mul", -5, 7),
        ("floordiv", -7, 2),
        ("mod", -7, 2),
        ("mod", MOST, -2),
        ("lshift", 1, 61),
        ("lshift", -1, 62),
        ("rshift", FEWEST, 63),
        ("rshift", 5, 0),
    ],
)
def test_the_usual_needs_no_slow_way(name: str, a: int, b: int) -> None:
    assert run(f"int.{name}", tagged(a), tagged(b)) == tagged(TWO[name](a, b))


@pytest.mark.parametrize("name", [*TWO, *COMPARE])
@pytest.mark.parametrize("other", [0, 2, 6, 10, 4096])
def test_what_is_no_small_int_goes_the_slow_way(name: str, other: int) -> None:
    slowly = SLOWLY if name in TWO else 0
    assert run(f"int.{name}", tagged(1), other) == slowly
    assert run(f"int.{name}", other, tagged(1)) == slowly


@pytest.mark.parametrize("name", COMPARE)
@given(SMALL, SMALL)
@settings(deadline=None)
def test_comparisons(name: str, a: int, b: int) -> None:
    compare: Callable[[int, int], bool] = COMPARE[name]
    assert run(f"int.{name}", tagged(a), tagged(b)) == compare(a, b)


@given(SMALL)
@settings(deadline=None)
def test_one_operand(a: int) -> None:
    assert run("int.invert", tagged(a)) == tagged(~a)
    assert run("int.neg", tagged(a)) == (SLOWLY if a == FEWEST else tagged(-a))
    assert run("int.small", tagged(a)) == a
    assert run("int.tag", a) == tagged(a)
    assert run("int.is_small", tagged(a)) == 1
