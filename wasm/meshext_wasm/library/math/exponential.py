"""Powers and logarithms, by the fixed-point numbers of `builtins.fixed`: right to the last bit."""

# ruff: noqa: A001 - names of math

from __future__ import annotations

from meshext_wasm.library.builtins import fixed
from meshext_wasm.library.builtins.doubles import (
    as_double,
    bits_of,
    is_finite,
    is_minus,
    is_nan,
)
from meshext_wasm.library.builtins.fixed import LN2, ONE, PLACES
from meshext_wasm.library.builtins.powers import is_whole, power
from meshext_wasm.library.math.parts import domain_error, infinity, range_error
from meshext_wasm.library.raw import double, float_abs, float_copysign

LN10 = 0x24D763776AAA2B05BA95B58AE0B4C28A38A3FB3E76977E43A0F18


def is_special(value: double) -> bool:
    """An infinity or NaN."""
    return not is_finite(value)


def is_tiny(value: double) -> bool:
    """Below 2**-100: too small for fixed-point numbers, and its square for a double beside 1."""
    return float_abs(value) < 7.9e-31


def exp(x: float, /) -> float:
    """e to the power of `x`."""
    value = as_double(x)
    if is_special(value):
        return 0.0 if value < 0.0 else float(value)
    if float_abs(value) > 800.0:
        result = double(0.0) if is_minus(value) else infinity()
    else:
        result = fixed.exponential(fixed.from_double(value))
    if not is_finite(result):
        raise range_error()
    return float(result)


def exp2(x: float, /) -> float:
    """2 to the power of `x`."""
    return pow(2.0, x)


def expm1(x: float, /) -> float:
    """`exp(x) - 1` without loss for a small `x`."""
    value = as_double(x)
    if is_special(value):
        return -1.0 if value < 0.0 else float(value)
    if is_tiny(value):
        return float(value)
    if value > 800.0:
        raise range_error()
    if value < -100.0:
        return -1.0
    number = fixed.from_double(value)
    powers = (number + LN2 // 2) // LN2
    grown = ONE + fixed.series(number - powers * LN2)
    grown = grown << powers if powers >= 0 else grown >> -powers
    result = fixed.to_double(grown - ONE, 0)
    if not is_finite(result):
        raise range_error()
    return float(result)


def natural(x: float) -> int | None:
    """The fixed-point logarithm of a positive number, ints of any size too; None for infinity and NaN."""
    if isinstance(x, int):
        if x <= 0:
            raise domain_error()
        drop = bits_of(x) - 120
        if drop <= 0:
            drop = 0
        return fixed.logarithm_of(x >> drop, drop)
    value = double(x)
    if value <= 0.0:
        raise domain_error()
    return None if is_special(value) else fixed.logarithm(value)


def log(x: float, base: float | None = None, /) -> float:
    """The logarithm, the natural one without a base."""
    if base is not None:
        return log(x) / log(base)
    found = natural(x)
    return x if found is None else float(fixed.to_double(found, 0))


def log10(x: float, /) -> float:
    """The logarithm to the base 10."""
    found = natural(x)
    return x if found is None else float(fixed.to_double((found << PLACES) // LN10, 0))


def log2(x: float, /) -> float:
    """The logarithm to the base 2."""
    found = natural(x)
    return x if found is None else float(fixed.to_double((found << PLACES) // LN2, 0))


def log1p(x: float, /) -> float:
    """`log(1 + x)` without loss for a small `x`."""
    value = as_double(x)
    if value <= -1.0:
        raise domain_error()
    if is_special(value) or is_tiny(value):
        return float(value)
    if value > 1e20:
        return log(float(value))
    return float(fixed.to_double(fixed.logarithm_of(fixed.from_double(value) + ONE, -PLACES), 0))


def pow(x: float, y: float, /) -> float:
    """`x ** y` as a float."""
    base = as_double(x)
    exponent = as_double(y)
    if base == 0.0 and exponent < 0.0:
        if is_finite(exponent):
            raise domain_error()
        return float(infinity())
    if is_finite(base) and base < 0.0 and is_finite(exponent) and not is_whole(exponent):
        raise domain_error()
    try:
        return float(power(base, exponent))
    except OverflowError:
        raise range_error() from None


def cbrt(x: float, /) -> float:
    """The cube root."""
    value = as_double(x)
    if value == 0.0 or is_special(value):
        return float(value)
    third = fixed.logarithm(float_abs(value)) // 3
    return float(float_copysign(fixed.exponential(third), value))


def halves(value: double) -> tuple[int, int, int]:
    """e to the power of a magnitude and of its negative, with the power of two that both are times."""
    number = fixed.from_double(float_abs(value))
    powers = (number + LN2 // 2) // LN2
    rest = number - powers * LN2
    up = ONE + fixed.series(rest)
    down = ONE + fixed.series(-rest)
    return up, down >> (2 * powers if powers < 200 else 400), powers


def cosh(x: float, /) -> float:
    """The hyperbolic cosine."""
    value = as_double(x)
    if is_special(value):
        return float(float_abs(value))
    if float_abs(value) > 800.0:
        raise range_error()
    up, down, powers = halves(value)
    result = fixed.to_double(up + down, powers - 1)
    if not is_finite(result):
        raise range_error()
    return float(result)


def sinh(x: float, /) -> float:
    """The hyperbolic sine."""
    value = as_double(x)
    if is_special(value) or is_tiny(value):
        return float(value)
    if float_abs(value) > 800.0:
        raise range_error()
    up, down, powers = halves(value)
    result = fixed.to_double(up - down, powers - 1)
    if not is_finite(result):
        raise range_error()
    return float(float_copysign(result, value))


def tanh(x: float, /) -> float:
    """The hyperbolic tangent."""
    value = as_double(x)
    if is_nan(value) or is_tiny(value):
        return float(value)
    if float_abs(value) > 40.0:
        return float(float_copysign(double(1.0), value))
    up, down, _ = halves(value)
    return float(float_copysign(fixed.to_double(((up - down) << PLACES) // (up + down), 0), value))


def asinh(x: float, /) -> float:
    """The inverse hyperbolic sine."""
    value = as_double(x)
    if is_special(value) or is_tiny(value):
        return float(value)
    magnitude = float_abs(value)
    if magnitude > 1e40:
        result = fixed.to_double(fixed.logarithm(magnitude) + LN2, 0)
    else:
        number = fixed.from_double(magnitude)
        grown = number + fixed.root(number * number + ONE * ONE)
        result = fixed.to_double(fixed.logarithm_of(grown, -PLACES), 0)
    return float(float_copysign(result, value))


def acosh(x: float, /) -> float:
    """The inverse hyperbolic cosine."""
    value = as_double(x)
    if value < 1.0:
        raise domain_error()
    if is_special(value):
        return float(value)
    if value > 1e40:
        return float(fixed.to_double(fixed.logarithm(value) + LN2, 0))
    number = fixed.from_double(value)
    grown = number + fixed.root(number * number - ONE * ONE)
    return float(fixed.to_double(fixed.logarithm_of(grown, -PLACES), 0))


def atanh(x: float, /) -> float:
    """The inverse hyperbolic tangent."""
    value = as_double(x)
    if float_abs(value) >= 1.0:
        raise domain_error()
    if is_nan(value) or is_tiny(value):
        return float(value)
    number = fixed.from_double(value)
    upper = fixed.logarithm_of(ONE + number, -PLACES)
    return float(fixed.to_double(upper - fixed.logarithm_of(ONE - number, -PLACES), -1))
