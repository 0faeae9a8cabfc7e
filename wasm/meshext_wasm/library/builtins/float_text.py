"""Doubles as text: `repr`, and the digits of `e`, `f`, `g` and `%`."""

from __future__ import annotations

from meshext_wasm.library.builtins.doubles import is_finite, is_minus, is_nan
from meshext_wasm.library.builtins.float_digits import Decimal, rounded, shortest, significant
from meshext_wasm.library.builtins.int_text import to_decimal
from meshext_wasm.library.raw import double, float_abs

DIGITS_MOST = 1100  # a double has at most 767 digits, and at most 1074 after the point; all others are 0


def repr_float(number: double) -> str:
    """`repr(number)`."""
    sign = "-" if is_minus(number) and not is_nan(number) else ""
    return sign + repr_text(float_abs(number), False)


def repr_text(magnitude: double, keep_point: bool) -> str:
    """`repr` of what is not below 0: with an exponent below 1e-4 and from 1e16 on."""
    if not is_finite(magnitude):
        return limit_text(magnitude)
    if magnitude == 0.0:
        return "0.0"
    decimal = shortest(magnitude)
    digits = to_decimal(decimal.digits)
    point = len(digits) + decimal.exponent
    digits = digits.rstrip("0")
    if -4 < point <= 16:
        return place_point(digits, point, point + 1, keep_point)
    return with_exponent(digits, point, "e", keep_point)


def limit_text(number: double) -> str:
    """An infinity above 0, or NaN."""
    return "nan" if is_nan(number) else "inf"


def place_point(digits: str, point: int, least: int, keep_point: bool) -> str:
    """Digits with a point after the first `point` of them, filled with zeros to `least` digits in all.
    `keep_point` leaves the point where no digit follows it."""
    if point <= 0:
        digits = "0" * (1 - point) + digits
        least += 1 - point
        point = 1
    if least < point:
        least = point
    if len(digits) < least:
        digits += "0" * (least - len(digits))
    if len(digits) == point and not keep_point:
        return digits
    return digits[:point] + "." + digits[point:]


def with_exponent(digits: str, point: int, letter: str, keep_point: bool) -> str:
    """Digits as `d.ddde+xx`."""
    power = point - 1
    shown = to_decimal(-power if power < 0 else power)
    if len(shown) < 2:
        shown = "0" + shown
    mantissa = place_point(digits, 1, 1, keep_point)
    return mantissa + letter + ("-" if power < 0 else "+") + shown


def fixed_text(magnitude: double, places: int, keep_point: bool) -> str:
    """`f`: so many digits after the point."""
    kept = places if places < DIGITS_MOST else DIGITS_MOST
    digits = to_decimal(rounded(magnitude, kept))
    if len(digits) <= kept:
        digits = "0" * (kept + 1 - len(digits)) + digits
    digits += "0" * (places - kept)
    return place_point(digits, len(digits) - places, 0, keep_point)


def exponent_text(magnitude: double, places: int, letter: str, keep_point: bool) -> str:
    """`e`: one digit before the point, so many after it."""
    decimal = digits_of(magnitude, places + 1)
    digits = filled(decimal, places + 1)
    point = 1 if magnitude == 0.0 else len(to_decimal(decimal.digits)) + decimal.exponent
    return with_exponent(digits, point, letter, keep_point)


def digits_of(magnitude: double, count: int) -> Decimal:
    """A finite double not below 0 rounded to so many digits, or to all that it has."""
    if magnitude == 0.0:
        return Decimal(0, 0)
    return significant(magnitude, count if count < DIGITS_MOST else DIGITS_MOST)


def filled(decimal: Decimal, count: int) -> str:
    """The digits, with zeros up to a count."""
    digits = to_decimal(decimal.digits)
    return digits + "0" * (count - len(digits))


def general_text(magnitude: double, precision: int, letter: str, keep_zeros: bool, with_point: bool) -> str:
    """`g`: so many digits, with an exponent where the value is far from 1.

    Args:
        magnitude: a finite double not below 0.
        precision: how many digits.
        letter: `e` or `E`.
        keep_zeros: zeros and a point at the end stay (`#`).
        with_point: a format without a type shows at least one digit after the point.
    """
    count = precision if precision > 0 else 1
    decimal = digits_of(magnitude, count)
    digits = filled(decimal, count)
    point = 1 if magnitude == 0.0 else len(to_decimal(decimal.digits)) + decimal.exponent
    if not keep_zeros:
        digits = digits.rstrip("0")
        if digits == "":
            digits = "0"
    if point <= -4 or point > count - (1 if with_point else 0):
        return with_exponent(digits, point, letter, keep_zeros)
    return place_point(digits, point, point + 1 if with_point else point, keep_zeros)
