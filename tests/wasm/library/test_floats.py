"""Arithmetic and comparison of floats, and of ints with floats, against CPython's."""

import math
import operator
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from meshext_wasm.library.builtins import doubles, floats, powers
from meshext_wasm.library.raw import double
from tests.wasm.library.comparing import outcome
from tests.wasm.library.numbers import FLOATS, INTS

NUMBERS = FLOATS | INTS
BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "lt", "le", "gt", "ge", "eq", "ne")


def same(call: Callable[..., object], *args: object) -> object:
    """An outcome in which NaN equals itself and zeros have a sign."""
    return repr(outcome(call, *args))


@pytest.mark.parametrize("name", BINARY)
@given(NUMBERS, NUMBERS)
def test_binary(name: str, left: float, right: float) -> None:
    assert same(getattr(floats, f"number_{name}"), left, right) == same(getattr(operator, name), left, right)


@given(NUMBERS, NUMBERS)
def test_divmod(left: float, right: float) -> None:
    assert same(floats.number_divmod, left, right) == same(divmod, left, right)


@given(st.integers(-(2**70), 2**70), st.integers(-3, 3) | st.floats(-2, 2))
def test_an_int_against_a_close_float(number: int, more: float) -> None:
    close = float(number) + more
    for name in ("lt", "le", "eq"):
        assert getattr(floats, f"number_{name}")(number, close) == getattr(operator, name)(number, close)
        assert getattr(floats, f"number_{name}")(close, number) == getattr(operator, name)(close, number)


@given(NUMBERS)
def test_to_int(number: float) -> None:
    assert same(doubles.to_int, number) == same(lambda value: int(value) + 0, number)


@given(INTS)
@example((1 << 1024) - (1 << 970))
@example(-(1 << 1024))
@example((1 << 62) - 1)
@example(-(1 << 62) - 1)
def test_int_as_double(number: int) -> None:
    assert same(doubles.int_as_double, number) == same(lambda value: double(float(value)), number)


@given(INTS, INTS)
@example(1, 3 << 1074)
@example(3, 1 << 1075)
@example((1 << 1024) - (1 << 970), 1)
def test_ratio_is_rounded_once(left: int, right: int) -> None:
    assert same(floats.number_truediv, left, right) == same(operator.truediv, left, right)


@given(INTS, st.integers(0, 9))
def test_int_power(base: int, exponent: int) -> None:
    if base.bit_length() * exponent < 14000:
        assert same(floats.number_pow, base, exponent) == same(operator.pow, base, exponent)


@given(INTS, INTS, INTS)
def test_power_modulo(base: int, exponent: int, modulus: int) -> None:
    small = exponent % 1000 if exponent >= 0 else -(-exponent % 1000)
    assert same(powers.power_modulo, base, small, modulus) == same(pow, base, small, modulus)


@given(FLOATS, FLOATS | st.integers(-40, 40).map(float) | st.floats(-5, 5))
@example(0.0, -1.0)
@example(-0.0, -3.0)
@example(-math.inf, 3.0)
@example(1e-300, 1.1)
@example(1.0000000000000002, 3e18)
@example(2.0, 0.5)
def test_float_power(base: float, exponent: float) -> None:
    expected = outcome(operator.pow, base, exponent)
    found = outcome(floats.number_pow, base, exponent)
    if base < 0.0 and math.isfinite(base) and math.isfinite(exponent) and not exponent.is_integer():
        assert found[0] is ValueError
    elif isinstance(expected[1], float) and isinstance(found[1], float) and math.isfinite(expected[1]):
        assert abs(found[1] - expected[1]) <= math.ulp(expected[1])
    else:
        assert repr(found) == repr(expected)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_apart(number: float) -> None:
    taken = double(number)
    exact = Fraction(doubles.mantissa_of(taken)) * Fraction(2) ** doubles.exponent_of(taken)
    assert exact == abs(Fraction(number))
