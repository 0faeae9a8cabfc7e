"""Functions of math that take doubles apart; all exact."""

from __future__ import annotations

from meshext_wasm.library.builtins.doubles import (
    as_double,
    assemble,
    bits_of,
    exponent_of,
    is_finite,
    is_minus,
    is_nan,
    mantissa_of,
    to_int,
)
from meshext_wasm.library.builtins.remainders import rest_of
from meshext_wasm.library.raw import (
    double,
    float_abs,
    float_bits,
    float_ceil,
    float_copysign,
    float_floor,
    float_from_bits,
    float_sqrt,
    float_trunc,
    int_small,
)


def infinity() -> double:
    """Above every number."""
    return double(1e308) * 10.0


def domain_error() -> ValueError:
    """An argument for which there is no result."""
    return ValueError("math domain error")


def range_error() -> OverflowError:
    """A result beyond the largest float."""
    return OverflowError("math range error")


def floor(x: float, /) -> int:
    """The largest int that is not above."""
    return x + 0 if isinstance(x, int) else to_int(float(float_floor(double(x))))


def ceil(x: float, /) -> int:
    """The smallest int that is not below."""
    return x + 0 if isinstance(x, int) else to_int(float(float_ceil(double(x))))


def trunc(x: float, /) -> int:
    """Without the fraction."""
    return to_int(x)


def fabs(x: float, /) -> float:
    """Without the sign."""
    return float(float_abs(as_double(x)))


def copysign(x: float, y: float, /) -> float:
    """`x` with the sign of `y`."""
    return float(float_copysign(as_double(x), as_double(y)))


def sqrt(x: float, /) -> float:
    """The square root."""
    value = as_double(x)
    if value < 0.0:
        raise domain_error()
    return float(float_sqrt(value))


def fmod(x: float, y: float, /) -> float:
    """The remainder with the sign of `x`, as in C."""
    left = as_double(x)
    right = as_double(y)
    if (right == 0.0 and not is_nan(left)) or (
        not is_finite(left) and not is_nan(left) and not is_nan(right)
    ):
        raise domain_error()
    return float(rest_of(left, right))


def modf(x: float, /) -> tuple[float, float]:
    """Fraction and whole part, both with the sign."""
    value = as_double(x)
    if not is_finite(value):
        return float(value if is_nan(value) else float_copysign(double(0.0), value)), float(value)
    whole = float_trunc(value)
    return float(float_copysign(value - whole, value)), float(whole)


def frexp(x: float, /) -> tuple[float, int]:
    """A fraction from 0.5 to 1 and the power of two that it is times."""
    value = as_double(x)
    if value == 0.0 or not is_finite(value):
        return float(value), 0
    mantissa = mantissa_of(value)
    bits = bits_of(mantissa)
    return float(float_copysign(assemble(int_small(mantissa), -bits), value)), exponent_of(value) + bits


def ldexp(x: float, i: int, /) -> float:
    """`x` times a power of two."""
    value = as_double(x)
    if value == 0.0 or not is_finite(value):
        return float(value)
    if i < -5000:
        return float(float_copysign(double(0.0), value))
    result = assemble(int_small(mantissa_of(value)), exponent_of(value) + (i if i < 5000 else 5000))
    if not is_finite(result):
        raise range_error()
    return float(float_copysign(result, value))


def isfinite(x: float, /) -> bool:
    """Whether it is no infinity and no NaN."""
    return is_finite(as_double(x))


def isnan(x: float, /) -> bool:
    """Whether it is no number."""
    return is_nan(as_double(x))


def isinf(x: float, /) -> bool:
    """Whether it is an infinity."""
    value = as_double(x)
    return not is_finite(value) and not is_nan(value)


def isclose(a: float, b: float, *, rel_tol: float = 1e-09, abs_tol: float = 0.0) -> bool:
    """Whether two numbers are closer than a part of the larger one, or than a distance."""
    left = as_double(a)
    right = as_double(b)
    relative = as_double(rel_tol)
    absolute = as_double(abs_tol)
    if relative < 0.0 or absolute < 0.0:
        raise ValueError("tolerances must be non-negative")
    if left == right:
        return True
    if not is_finite(left) or not is_finite(right):
        return False
    apart = float_abs(right - left)
    return apart <= float_abs(relative * right) or apart <= float_abs(relative * left) or apart <= absolute


def nextafter(x: float, y: float, /) -> float:
    """The next float from `x` towards `y`."""
    start = as_double(x)
    goal = as_double(y)
    if is_nan(start) or is_nan(goal):
        return float(start + goal)
    if start == goal:
        return float(goal)
    if start == 0.0:
        return float(float_copysign(double(5e-324), goal))
    bits = float_bits(start)
    return float(float_from_bits(bits + 1 if (start < goal) != is_minus(start) else bits - 1))


def ulp(x: float, /) -> float:
    """The distance to the next float away from 0."""
    value = float_abs(as_double(x))
    if not is_finite(value):
        return float(value)
    above = float_from_bits(float_bits(value) + 1)
    if not is_finite(above):
        return float(value - float_from_bits(float_bits(value) - 1))
    return float(above - value)
