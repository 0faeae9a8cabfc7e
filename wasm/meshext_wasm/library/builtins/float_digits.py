"""Decimal digits of doubles: the shortest that come back, or correctly rounded to a place."""

from __future__ import annotations

from meshext_wasm.library.builtins.doubles import bits_of, exponent_of, mantissa_of
from meshext_wasm.library.builtins.powers import power_int
from meshext_wasm.library.raw import double, float_nearest, float_to_wide, int_tag

HIDDEN = 1 << 52


class Decimal:
    """The int of `digits` times ten to the power of `exponent`."""

    digits: int
    exponent: int

    def __init__(self, digits: int, exponent: int) -> None:
        self.digits = digits
        self.exponent = exponent


def shortest(number: double) -> Decimal:
    """The shortest decimal that parses to a finite double above 0, and of those the closest."""
    quick = try_short(number)
    if quick is not None:
        return quick
    return search_shortest(number)


def try_short(number: double) -> Decimal | None:
    """What has at most 15 digits and no exponent to speak of: then no other decimal comes as short."""
    if number >= 1e15 or number < 1e-5:
        return None
    scale = double(1.0)
    places = 0
    while places <= 20:
        scaled = number * scale
        if scaled >= 1e15:
            return None
        whole = float_nearest(scaled)
        if whole / scale == number and whole != 0.0:
            return Decimal(int_tag(float_to_wide(whole)), -places)
        scale = scale * 10.0
        places += 1
    return None


def search_shortest(number: double) -> Decimal:
    """Steele and White's algorithm on exact ints: digits until one is inside the interval that rounds to the
    double, its ends included when the mantissa is even."""
    mantissa = mantissa_of(number)
    exponent = exponent_of(number)
    # The value is upper / lower, half the gaps below and above it are below / lower and above / lower.
    above = 2 if mantissa == HIDDEN and exponent > -1074 else 1
    upper = mantissa * above * 2
    lower = above * 2
    below = 1
    if exponent >= 0:
        upper = upper << exponent
        below = below << exponent
        above = above << exponent
    else:
        lower = lower << -exponent
    power = decimal_exponent(mantissa, exponent)
    if power >= 0:
        lower = lower * power_int(10, power)
    else:
        scale = power_int(10, -power)
        upper = upper * scale
        below = below * scale
        above = above * scale
    even = mantissa & 1 == 0
    if reaches(upper + above, lower, even):
        return generate(upper, lower, below, above, even, power + 1)
    return generate(upper * 10, lower, below * 10, above * 10, even, power)


def reaches(number: int, limit: int, even: bool) -> bool:
    """Whether the upper end of the interval is at a limit, or beyond it."""
    return number >= limit if even else number > limit


def decimal_exponent(mantissa: int, exponent: int) -> int:
    """The power of ten above a value, or one too small."""
    bits = bits_of(mantissa) + exponent - 1
    # The logarithm of 2 to the base 10, times 2**20, rounded so that the product is never too large.
    return (bits * (315652 if bits > 0 else 315653) >> 20) + 1


def generate(upper: int, lower: int, below: int, above: int, even: bool, power: int) -> Decimal:
    """Digits of upper / lower, which is below 10 and stands before 10 to the power of `power - 1`."""
    digits = 0
    while True:
        digit = upper // lower
        upper = upper - digit * lower
        power -= 1
        digits = digits * 10 + digit
        low = upper <= below if even else upper < below
        high = reaches(upper + above, lower, even)
        if low or high:
            break
        upper = upper * 10
        below = below * 10
        above = above * 10
    twice = upper * 2
    if high and (not low or twice > lower or (twice == lower and digit & 1 == 1)):
        digits += 1
    return Decimal(digits, power)


def rounded(number: double, places: int) -> int:
    """The magnitude of a finite double times ten to the power of `places`, rounded, ties to even."""
    upper = mantissa_of(number)
    lower = 1
    if places >= 0:
        upper = upper * power_int(10, places)
    else:
        lower = power_int(10, -places)
    exponent = exponent_of(number)
    if exponent >= 0:
        upper = upper << exponent
    else:
        lower = lower << -exponent
    return nearest(upper, lower)


def nearest(upper: int, lower: int) -> int:
    """The int next to a ratio of ints, the first not below 0; ties to even."""
    result = upper // lower
    twice = (upper - result * lower) * 2
    return result + 1 if twice > lower or (twice == lower and result & 1 == 1) else result


def significant(number: double, count: int) -> Decimal:
    """A finite double above 0 rounded to so many digits, all of which are there."""
    power = decimal_exponent(mantissa_of(number), exponent_of(number))
    digits = rounded(number, count - power)
    if digits >= power_int(10, count):
        power += 1
        digits = rounded(number, count - power)
        if digits >= power_int(10, count):
            digits = digits // 10
            power += 1
    return Decimal(digits, power - count)
