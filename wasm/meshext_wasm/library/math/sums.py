"""Sums and lengths, rounded once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from meshext_wasm.library.builtins.doubles import (
    as_double,
    exponent_of,
    is_finite,
    is_minus,
    mantissa_of,
    ratio,
)
from meshext_wasm.library.builtins.fixed import PLACES, root, to_double
from meshext_wasm.library.math.parts import infinity
from meshext_wasm.library.raw import double, float_abs

LOWEST = 1074  # what a float is times 2**1074 is an int


def whole_of(value: double) -> int:
    """A finite double times 2**1074."""
    result = mantissa_of(value) << (exponent_of(value) + LOWEST)
    return -result if is_minus(value) else result


def fsum(seq: Iterable[float], /) -> float:
    """The sum, exact before it is rounded."""
    total = 0
    special = double(0.0)
    minus = False
    plus = False
    for each in seq:
        value = as_double(each)
        if is_finite(value):
            total += whole_of(value)
        else:
            minus = minus or value < 0.0
            plus = plus or value > 0.0
            special = special + value
    if minus and plus:
        raise ValueError("-inf + inf in fsum")
    if special != 0.0:
        return float(special)
    result = ratio(-total if total < 0 else total, 1 << LOWEST)
    if not is_finite(result):
        raise OverflowError("intermediate overflow in fsum")
    return float(-result if total < 0 else result)


def prod(iterable: Iterable[float], /, *, start: float = 1) -> float:
    """The product."""
    result = start
    for each in iterable:
        result = result * each
    return result


def hypot(*coordinates: float) -> float:
    """The distance from the origin."""
    total = 0
    infinite = False
    unknown = double(0.0)
    for each in coordinates:
        value = float_abs(as_double(each))
        if is_finite(value):
            total += whole_of(value) ** 2
        else:
            infinite = infinite or value > 0.0
            unknown = value
    if infinite:
        return float(infinity())
    if unknown != 0.0:
        return float(unknown)
    return float(root_of(total))


def root_of(square: int) -> double:
    """The root of a sum of squares of `whole_of`."""
    found = root(square << 128)
    if found * found != square << 128:
        found = found | 1
    return to_double(found, PLACES - 64 - LOWEST)


def dist(p: Sequence[float], q: Sequence[float], /) -> float:
    """The distance between two points."""
    if len(p) != len(q):
        raise ValueError("both points must have the same number of dimensions")
    return hypot(*[p[index] - q[index] for index in range(len(p))])
