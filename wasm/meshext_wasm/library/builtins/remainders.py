"""The exact remainder of doubles, and Python's floor division made of it."""

from __future__ import annotations

from meshext_wasm.library.builtins.doubles import assemble, exponent_of, is_finite, is_minus, mantissa_of
from meshext_wasm.library.raw import double, float_abs, float_copysign, float_floor, int_small


def rest_of(left: double, right: double) -> double:
    """C's `fmod`: exact, with the sign of the left side. The right side is not 0."""
    if not is_finite(left) or right != right:
        return left - left + right
    if not is_finite(right) or float_abs(left) < float_abs(right):
        return left
    divisor = int_small(mantissa_of(right))
    exponent = exponent_of(right)
    steps = exponent_of(left) - exponent
    rest = int_small(mantissa_of(left))
    rest = rest % divisor
    while steps > 0:
        step = steps if steps < 11 else 11
        rest = (rest << int_small(step)) % divisor
        steps -= step
    result = assemble(rest, exponent) if rest != 0 else double(0.0)
    return float_copysign(result, left)


def floor_rest(left: double, right: double) -> double:
    """Python's `%`: the sign of the right side, also of a zero."""
    rest = rest_of(left, right)
    if rest == 0.0:
        return float_copysign(double(0.0), right)
    return rest + right if is_minus(rest) != is_minus(right) else rest


def floor_quotient(left: double, right: double) -> double:
    """Python's `//`."""
    rest = rest_of(left, right)
    quotient = (left - rest) / right
    if rest != 0.0 and is_minus(rest) != is_minus(right):
        quotient = quotient - 1.0
    if quotient == 0.0:
        return float_copysign(double(0.0), left / right)
    whole = float_floor(quotient)
    return whole + 1.0 if quotient - whole > 0.5 else whole
