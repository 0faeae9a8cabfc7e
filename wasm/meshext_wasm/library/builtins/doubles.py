"""Between ints and doubles, exactly: taking a double apart, and rounding a ratio of ints to one."""

from __future__ import annotations

from meshext_wasm.library.builtins import limbs
from meshext_wasm.library.builtins.integers import is_bool
from meshext_wasm.library.raw import (
    double,
    float_bits,
    float_from_bits,
    float_from_wide,
    float_to_wide,
    int_is_small,
    int_small,
    int_tag,
    value_bits,
    wide,
    wide_clz,
    word,
)


def is_finite(number: double) -> bool:
    """Whether it is no infinity and no NaN."""
    return (float_bits(number) >> 52) & 0x7FF != 0x7FF


def is_nan(number: double) -> bool:
    """Whether it is no number."""
    return number != number


def is_minus(number: double) -> bool:
    """Whether the sign bit is set."""
    return float_bits(number) >> 63 != 0


def mantissa_of(number: double) -> int:
    """Of a finite number: the int that times 2 to the power of `exponent_of` is its magnitude."""
    bits = float_bits(number)
    fraction = bits & 0xFFFFFFFFFFFFF
    return int_tag(fraction if (bits >> 52) & 0x7FF == 0 else fraction | 0x10000000000000)


def exponent_of(number: double) -> int:
    """See `mantissa_of`."""
    exponent = int_tag((float_bits(number) >> 52) & 0x7FF)
    return -1074 if exponent == 0 else exponent - 1075


def bits_of(number: int) -> int:
    """Bits of the magnitude of an int."""
    return int(limbs.bits_in(limbs.of(number)))


def assemble(mantissa: wide, exponent: int) -> double:
    """The double next to `mantissa * 2**exponent`, ties to even; infinity above the largest.

    The mantissa is above 0 and below 2**63. Where it stands for a longer one, it has 55 bits or more and its
    lowest bit is set when anything was cut off.
    """
    bits = 64 - int_tag(wide_clz(mantissa))
    drop = bits - 53 if bits - 53 > -1074 - exponent else -1074 - exponent
    if drop > 63:
        return double(0.0)
    if drop > 0:
        mantissa = round_off(mantissa, wide(drop))
        exponent += drop
    if mantissa >= 0x20000000000000:
        mantissa = mantissa >> 1
        exponent += 1
    # A normal number: bring the highest bit where it is left out.
    if mantissa < 0x10000000000000:
        shift = int_tag(wide_clz(mantissa)) - 11
        if shift > exponent + 1074:
            shift = exponent + 1074
        mantissa = mantissa << wide(shift)
        exponent -= shift
    if mantissa < 0x10000000000000:
        return float_from_bits(mantissa)
    if exponent > 971:
        return float_from_bits(wide(0x7FF) << 52)
    return float_from_bits((wide(exponent + 1075) << 52) | (mantissa & 0xFFFFFFFFFFFFF))


def round_off(mantissa: wide, drop: wide) -> wide:
    """Shift right by 1 to 63 bits, ties to even."""
    kept = mantissa >> drop
    rest = mantissa & ((wide(1) << drop) - 1)
    half = wide(1) << (drop - 1)
    if rest > half or (rest == half and (kept & 1) != 0):
        return kept + 1
    return kept


def ratio(numerator: int, denominator: int) -> double:
    """The double next to a ratio of ints, the first not below 0, the second above; ties to even."""
    if numerator == 0:
        return double(0.0)
    shift = bits_of(denominator) - bits_of(numerator) + 60
    if shift >= 0:
        numerator = numerator << shift
    else:
        denominator = denominator << -shift
    quotient = numerator // denominator
    if quotient * denominator != numerator:
        quotient = quotient | 1
    return assemble(int_small(quotient), -shift)


def of_int(number: int) -> double:
    """The double next to any int; infinities beyond the largest."""
    if int_is_small(number):
        return float_from_wide(int_small(number))
    if is_bool(number):
        return float_from_wide(value_bits(number) >> 2)
    magnitude = -number if number < 0 else number
    drop = bits_of(magnitude) - 60
    top = magnitude
    if drop > 0:
        top = magnitude >> drop
        if top << drop != magnitude:
            top = top | 1
    else:
        drop = 0
    result = assemble(wide_of(top), drop)
    return -result if number < 0 else result


def wide_of(number: int) -> wide:
    """The number of an int from 0 up to 2**63 - 1, which need not be small."""
    if int_is_small(number):
        return int_small(number)
    blob = limbs.of(number)
    return limbs.limb(blob, word(0)) | (limbs.limb(blob, word(1)) << 32)


def as_double(number: float) -> double:
    """The double of any number. OverflowError for an int beyond the largest."""
    return int_as_double(number) if isinstance(number, int) else double(number)


def int_as_double(number: int) -> double:
    """The double of any int, small enough to be put where a loop asks for it. OverflowError as above."""
    return float_from_wide(int_small(number)) if int_is_small(number) else long_as_double(number)


def long_as_double(number: int) -> double:
    """The same of an int that is not small."""
    result = of_int(number)
    if not is_finite(result):
        raise OverflowError("int too large to convert to float")
    return result


def to_int(number: float) -> int:
    """`int(number)`, towards zero."""
    if isinstance(number, int):
        return number + 0
    value = double(number)
    if is_nan(value):
        raise ValueError("cannot convert float NaN to integer")
    if not is_finite(value):
        raise OverflowError("cannot convert float infinity to integer")
    if exponent_of(value) < 0:
        return int_tag(float_to_wide(value))
    result = mantissa_of(value) << exponent_of(value)
    return -result if is_minus(value) else result
