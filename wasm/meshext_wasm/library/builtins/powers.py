"""`**` and `pow` of ints and of doubles."""

from __future__ import annotations

from meshext_wasm.library.builtins.doubles import (
    bits_of,
    exponent_of,
    is_finite,
    is_minus,
    is_nan,
    mantissa_of,
    ratio,
)
from meshext_wasm.library.builtins.fixed import PLACES, exponential, logarithm
from meshext_wasm.library.raw import double, float_abs, float_copysign, float_trunc


def power_int(base: int, exponent: int) -> int:
    """`base ** exponent`, the exponent not below 0."""
    result = 1
    square = base + 0
    while exponent > 0:
        if exponent & 1 != 0:
            result = result * square
        exponent = exponent >> 1
        if exponent > 0:
            square = square * square
            # Otherwise an exponent like 10**30 of a number that stays 0 or 1 would be the only fast one.
            if square == 1 or square == 0:
                exponent = 1
    return result


def power_modulo(base: int, exponent: int, modulus: int) -> int:
    """`pow(base, exponent, modulus)`."""
    if modulus == 0:
        raise ValueError("pow() 3rd argument cannot be 0")
    if exponent < 0:
        base = inverse(base, -modulus if modulus < 0 else modulus)
        exponent = -exponent
    result = 1
    square = base % modulus
    while exponent > 0:
        if exponent & 1 != 0:
            result = result * square % modulus
        exponent = exponent >> 1
        if exponent > 0:
            square = square * square % modulus
    return result % modulus


def inverse(number: int, modulus: int) -> int:
    """What times the number leaves 1, by Euclid's algorithm."""
    left = modulus
    right = number % modulus
    before = 0
    factor = 1
    while right != 0:
        quotient = left // right
        rest = left - quotient * right
        left = right
        right = rest
        following = before - quotient * factor
        before = factor
        factor = following
    if left != 1:
        raise ValueError("base is not invertible for the given modulus")
    return before % modulus


def is_whole(number: double) -> bool:
    """Whether a finite double is an integer."""
    return number == float_trunc(number)


def is_odd(number: double) -> bool:
    """Whether a double is an odd integer."""
    if not is_finite(number) or not is_whole(number):
        return False
    exponent = exponent_of(number)
    return exponent <= 0 and (mantissa_of(number) >> -exponent) & 1 != 0


def power(base: double, exponent: double) -> double:
    """`base ** exponent`, IEEE 754's special cases with Python's exceptions."""
    if exponent == 0.0 or base == 1.0:
        return double(1.0)
    if is_nan(base) or is_nan(exponent):
        return base + exponent
    if not is_finite(exponent):
        if float_abs(base) == 1.0:
            return double(1.0)
        return float_abs(exponent) if is_minus(exponent) == (float_abs(base) < 1.0) else double(0.0)
    if not is_finite(base):
        return power_of_limit(base, exponent, not is_minus(exponent))
    if base == 0.0:
        if is_minus(exponent):
            raise ZeroDivisionError("0.0 cannot be raised to a negative power")
        return power_of_limit(base, exponent, True)
    if is_minus(base) and not is_whole(exponent):
        raise ValueError("a negative number to a fractional power is complex, which is not supported")
    result = power_of_positive(float_abs(base), exponent)
    if not is_finite(result):
        raise OverflowError(34, "Numerical result out of range")
    return -result if is_minus(base) and is_odd(exponent) else result


def power_of_limit(base: double, exponent: double, keep: bool) -> double:
    """The power of a zero or an infinity: itself or, unless `keep`, the other end; the sign for odd ones."""
    magnitude = float_abs(base) if keep else double(0.0)
    return float_copysign(magnitude, base) if is_odd(exponent) else magnitude


def power_of_positive(base: double, exponent: double) -> double:
    """The power of a finite number above 0."""
    if base == 1.0:
        return double(1.0)
    if is_whole(exponent) and float_abs(exponent) <= 32.0:
        return exact_power(base, exponent)
    logarithm_ = logarithm(base)
    scale = exponent_of(exponent)
    product = logarithm_ * mantissa_of(exponent)
    if bits_of(product) + scale > PLACES + 12:
        return double(0.0) if is_minus(exponent) != (logarithm_ < 0) else double(1e308) * 10.0
    product = product << scale if scale >= 0 else product >> -scale
    return exponential(-product if is_minus(exponent) else product)


def exact_power(base: double, exponent: double) -> double:
    """A small whole power: of ints, rounded once."""
    count = mantissa_of(exponent) >> -exponent_of(exponent)
    upper = power_int(mantissa_of(base), count)
    lower = 1
    shift = exponent_of(base) * count
    if shift >= 0:
        upper = upper << shift if shift < 2000 else 1 << 3000
    elif shift > -8000:
        lower = lower << -shift
    elif is_minus(exponent):
        return double(1e308) * 10.0
    else:
        return double(0.0)
    return ratio(lower, upper) if is_minus(exponent) else ratio(upper, lower)
