"""Exponential and logarithm on ints that stand for numbers with 208 bits after the point.

Slow (some ten microseconds) and far more exact than a double needs, so results are right to the last bit but
for ties; there is no table and no polynomial to trust.
"""

from __future__ import annotations

from meshext_wasm.library.builtins.doubles import (
    assemble,
    bits_of,
    exponent_of,
    is_minus,
    mantissa_of,
    wide_of,
)
from meshext_wasm.library.raw import double

PLACES = 208
ONE = 1 << 208
LN2 = 0xB17217F7D1CF79ABC9E3B39803F2F6AF40F343267298B62D8A0D
SQRT2 = 0x16A09E667F3BCC908B2FB1366EA957D3E3ADEC17512775099DA2F


def from_double(number: double) -> int:
    """A finite double, rounded down."""
    mantissa = mantissa_of(number)
    if is_minus(number):
        mantissa = -mantissa
    shift = exponent_of(number) + PLACES
    return mantissa << shift if shift >= 0 else mantissa >> -shift


def to_double(number: int, exponent: int) -> double:
    """The double next to a fixed-point number times a power of two."""
    if number == 0:
        return double(0.0)
    magnitude = -number if number < 0 else number
    drop = bits_of(magnitude) - 62
    if drop > 0:
        top = magnitude >> drop
        if top << drop != magnitude:
            top = top | 1
        magnitude = top
        exponent += drop
    result = assemble(wide_of(magnitude), exponent - PLACES)
    return -result if number < 0 else result


def exponential(number: int) -> double:
    """e to the power of a fixed-point number; infinity and 0 beyond what doubles hold."""
    if number > 800 * ONE:
        return to_double(ONE, 2000)
    if number < -800 * ONE:
        return double(0.0)
    powers = (number + LN2 // 2) // LN2
    return to_double(ONE + series(number - powers * LN2), powers)


def series(number: int) -> int:
    """e to the power of a number below 1, less 1."""
    total = number
    term = number
    count = 2
    while term > 1 or term < -1:
        term = (term * number >> PLACES) // count
        total += term
        count += 1
    return total


def logarithm(number: double) -> int:
    """The natural logarithm of a positive finite double."""
    return logarithm_of(mantissa_of(number), exponent_of(number))


def logarithm_of(mantissa: int, exponent: int) -> int:
    """The natural logarithm of an int above 0 times a power of two."""
    bits = bits_of(mantissa)
    shift = PLACES - bits + 1
    scaled = mantissa << shift if shift >= 0 else mantissa >> -shift
    powers = exponent + bits - 1
    if scaled > SQRT2:
        scaled = scaled >> 1
        powers += 1
    return powers * LN2 + near_one(scaled)


def near_one(number: int) -> int:
    """The logarithm of a number between 0.7 and 1.42: twice the inverse hyperbolic tangent of another."""
    ratio = ((number - ONE) << PLACES) // (number + ONE)
    square = ratio * ratio >> PLACES
    total = ratio
    power = ratio
    count = 3
    while power > 1 or power < -1:
        power = power * square >> PLACES
        total += power // count
        count += 2
    return total * 2


def root(square: int) -> int:
    """The square root of the product of two fixed-point numbers, rounded down."""
    if square == 0:
        return 0
    guess = 1 << (bits_of(square) + 1) // 2
    while True:
        better = (guess + square // guess) >> 1
        if better >= guess:
            return guess
        guess = better
