"""Doubles under CPython, by WebAssembly's rules."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

from meshext_wasm.library.emulation.numbers import double, wide


def float_sqrt(value: double) -> double:
    """Square root; NaN below zero."""
    return double(math.sqrt(value) if value >= 0.0 else math.nan if value == value else value)


def float_abs(value: double) -> double:
    """Without the sign."""
    return double(abs(value))


def float_copysign(value: double, sign: float) -> double:
    """The sign of the second."""
    return double(math.copysign(value, sign))


def float_floor(value: double) -> double:
    """Down to an integer."""
    return rounded(value, math.floor)


def float_ceil(value: double) -> double:
    """Up to an integer."""
    return rounded(value, math.ceil)


def float_trunc(value: double) -> double:
    """Towards zero to an integer."""
    return rounded(value, math.trunc)


def float_nearest(value: double) -> double:
    """To the nearest integer, ties to even."""
    return rounded(value, round)


def rounded(value: double, rule: Callable[[float], int]) -> double:
    """An integer by a rule; infinities, NaN and the sign of zero stay."""
    number = float(value)
    return double(math.copysign(rule(number), number) if math.isfinite(number) else number)


def float_from_wide(value: wide) -> double:
    """From a signed number, rounded to even."""
    return double(float(value.signed()))


def float_to_wide(value: double) -> wide:
    """Signed, towards zero; saturates, and gives 0 for NaN."""
    if math.isnan(value):
        return wide(0)
    return wide(int(max(-(2.0**63), float(value))) if value < 2.0**63 else (1 << 63) - 1)


def float_bits(value: double) -> wide:
    """The 64 bits."""
    return wide(struct.unpack("<Q", struct.pack("<d", value))[0])


def float_from_bits(value: wide) -> double:
    """The double with these bits."""
    return double(struct.unpack("<d", struct.pack("<Q", int(value)))[0])
