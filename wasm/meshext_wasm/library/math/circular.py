"""Sine and its kin on fixed-point numbers; pi has 1,344 bits, so that every float is reduced exactly."""

from __future__ import annotations

from meshext_wasm.library.builtins import fixed
from meshext_wasm.library.builtins.doubles import (
    as_double,
    exponent_of,
    is_finite,
    is_minus,
    is_nan,
    mantissa_of,
)
from meshext_wasm.library.builtins.fixed import ONE, PLACES
from meshext_wasm.library.math.exponential import is_tiny
from meshext_wasm.library.math.parts import domain_error
from meshext_wasm.library.raw import double, float_abs, float_copysign

PI_PLACES = 1344
PI = int(
    "3243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89452821e638d01377be5466cf3"
    "4e90c6cc0ac29b7c97c50dd3f84d5b5b54709179216d5d98979fb1bd1310ba698dfb5ac2ffd72dbd01adfb7b8e"
    "1afed6a267e96ba7c9045f12c7f9924a19947b3916cf70801f2e2858efc16636920d871574e69a458fea3f4933"
    "d7e0d95748f728eb658718bcd5882154aee7b54a41dc25a59b59c30d5392af26013",
    16,
)

HALF_PI = PI >> (PI_PLACES - PLACES + 1)


class Reduced:
    """An angle as quarter turns, counted by 4, and what is left of them, from -pi/4 to pi/4."""

    quarter: int
    rest: int

    def __init__(self, quarter: int, rest: int) -> None:
        self.quarter = quarter
        self.rest = rest


def reduce(value: double) -> Reduced:
    """An angle of a finite double."""
    number = mantissa_of(value)
    shift = exponent_of(value) + PI_PLACES
    number = number << shift if shift >= 0 else number >> -shift
    if is_minus(value):
        number = -number
    half = PI >> 1
    quarters = (number + (half >> 1)) // half
    rest = (number - quarters * half) >> (PI_PLACES - PLACES)
    return Reduced(quarters & 3, rest)


def sine(angle: int) -> int:
    """The series for an angle below 1."""
    return alternating(angle, angle, 2)


def cosine(angle: int) -> int:
    """The series for an angle below 1."""
    return alternating(angle, ONE, 1)


def alternating(angle: int, first: int, count: int) -> int:
    """A sum of terms, each the one before times -angle**2 and divided by the next two ints."""
    square = angle * angle >> PLACES
    total = first
    term = first
    while term > 1 or term < -1:
        term = -(term * square >> PLACES) // (count * (count + 1))
        total += term
        count += 2
    return total


def sine_of(angle: Reduced) -> int:
    """The sine of any angle."""
    result = sine(angle.rest) if angle.quarter & 1 == 0 else cosine(angle.rest)
    return result if angle.quarter < 2 else -result


def turned(angle: Reduced) -> Reduced:
    """A quarter turn further."""
    return Reduced(angle.quarter + 1 & 3, angle.rest)


def check(value: double) -> None:
    """Refuse an infinity."""
    if not is_finite(value) and not is_nan(value):
        raise domain_error()


def sin(x: float, /) -> float:
    """The sine of radians."""
    value = as_double(x)
    check(value)
    if is_nan(value) or is_tiny(value):
        return float(value)
    return float(fixed.to_double(sine_of(reduce(value)), 0))


def cos(x: float, /) -> float:
    """The cosine of radians."""
    value = as_double(x)
    check(value)
    if is_nan(value):
        return float(value)
    return float(fixed.to_double(sine_of(turned(reduce(value))), 0))


def tan(x: float, /) -> float:
    """The tangent of radians."""
    value = as_double(x)
    check(value)
    if is_nan(value) or is_tiny(value):
        return float(value)
    angle = reduce(value)
    return float(fixed.to_double((sine_of(angle) << PLACES) // sine_of(turned(angle)), 0))


def arc(upper: int, lower: int) -> int:
    """The angle whose tangent is a ratio of ints that are not below 0, not both 0."""
    if upper > lower:
        return HALF_PI - arc(lower, upper)
    number = (upper << PLACES) // lower
    halvings = 0
    while halvings < 4:
        number = (number << PLACES) // (ONE + fixed.root(ONE * ONE + number * number))
        halvings += 1
    square = number * number >> PLACES
    total = number
    power = number
    count = 3
    while power > 1 or power < -1:
        power = -(power * square >> PLACES)
        total += power // count
        count += 2
    return total << halvings


def atan(x: float, /) -> float:
    """The angle of a tangent."""
    value = as_double(x)
    if is_nan(value) or is_tiny(value):
        return float(value)
    if float_abs(value) > 1e40:
        result = HALF_PI
    else:
        result = arc(fixed.from_double(float_abs(value)), ONE)
    return float(float_copysign(fixed.to_double(result, 0), value))


def asin(x: float, /) -> float:
    """The angle of a sine."""
    value = as_double(x)
    if float_abs(value) > 1.0:
        raise domain_error()
    if is_nan(value) or is_tiny(value):
        return float(value)
    number = fixed.from_double(float_abs(value))
    result = arc(number, fixed.root(ONE * ONE - number * number))
    return float(float_copysign(fixed.to_double(result, 0), value))


def acos(x: float, /) -> float:
    """The angle of a cosine."""
    value = as_double(x)
    if float_abs(value) > 1.0:
        raise domain_error()
    if is_nan(value):
        return float(value)
    number = fixed.from_double(float_abs(value))
    result = arc(fixed.root(ONE * ONE - number * number), number)
    return float(fixed.to_double(2 * HALF_PI - result if is_minus(value) else result, 0))


def atan2(y: float, x: float, /) -> float:
    """The angle of a point, from -pi to pi."""
    upper = as_double(y)
    right = as_double(x)
    if is_nan(upper) or is_nan(right):
        return float(upper + right)
    if not is_minus(right) and is_finite(right) and float_abs(upper) < right * 7.9e-31:
        return float(upper / right)
    result = angle_of(float_abs(upper), float_abs(right))
    if is_minus(right):
        result = 2 * HALF_PI - result
    return float(float_copysign(fixed.to_double(result, 0), upper))


def angle_of(upper: double, right: double) -> int:
    """The angle of a point with neither coordinate below 0."""
    if not is_finite(upper):
        return HALF_PI if is_finite(right) else HALF_PI >> 1
    if upper == 0.0 or not is_finite(right):
        return 0
    if right == 0.0:
        return HALF_PI
    shift = exponent_of(upper) - exponent_of(right)
    if shift > 300:
        return HALF_PI
    if shift < -300:
        return 0
    if shift >= 0:
        return arc(mantissa_of(upper) << shift, mantissa_of(right))
    return arc(mantissa_of(upper), mantissa_of(right) << -shift)
