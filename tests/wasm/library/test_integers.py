"""The library's int arithmetic against CPython's."""

import operator
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext_wasm.library.builtins import integers
from meshext_wasm.library.raw import wide
from tests.wasm.library.comparing import outcome
from tests.wasm.library.numbers import INTS

BINARY = ("add", "sub", "mul", "floordiv", "mod", "and", "or", "xor", "lt", "le", "gt", "ge", "eq", "ne")


def reference(name: str) -> Callable[..., object]:
    found: Callable[..., object] = getattr(operator, name if hasattr(operator, name) else f"{name}_")
    return found


@pytest.mark.parametrize("name", BINARY)
@given(INTS, INTS)
def test_binary(name: str, left: int, right: int) -> None:
    assert outcome(getattr(integers, f"{name}_slow"), left, right) == outcome(reference(name), left, right)


@pytest.mark.parametrize("name", ["lshift", "rshift"])
@given(INTS, st.integers(-3, 2500) | st.booleans())
def test_shift(name: str, left: int, right: int) -> None:
    assert outcome(getattr(integers, f"{name}_slow"), left, right) == outcome(reference(name), left, right)


@given(INTS)
def test_unary(number: int) -> None:
    assert outcome(integers.neg_slow, number) == outcome(operator.neg, number)
    assert outcome(integers.invert_slow, number) == outcome(operator.invert, number)


@given(st.integers(2**32, 2**64), st.integers(2**64, 2**400), st.integers(0, 2**64))
def test_division_near_a_multiple(digit: int, divisor: int, less: int) -> None:
    """Dividends for which the first guess of a digit is too large."""
    dividend = digit * divisor - less
    assert integers.floordiv_slow(dividend, divisor) == dividend // divisor
    assert integers.mod_slow(dividend, divisor) == dividend % divisor


def test_the_largest_int() -> None:
    most = (1 << 16384) - 1
    assert integers.sub_slow(most, -0) == most
    assert integers.rshift_slow(1, 1 << 80) == 0
    assert integers.rshift_slow(-1, 1 << 80) == -1
    for call in (integers.add_slow, integers.mul_slow):
        assert outcome(call, most, most) == (OverflowError, "integer of more than 16384 bits")
    assert outcome(integers.lshift_slow, 1, 16384) == (OverflowError, "integer of more than 16384 bits")


@given(st.integers(0, 2**64 - 1))
def test_of_a_machine_number(number: int) -> None:
    assert outcome(integers.from_wide, wide(number)) == (int, number)
