"""The built-in functions of numbers."""

from __future__ import annotations

from meshext_wasm.library.builtins.doubles import is_finite, is_nan, to_int
from meshext_wasm.library.builtins.float_digits import nearest, rounded
from meshext_wasm.library.builtins.float_parsing import value_of_decimal
from meshext_wasm.library.builtins.floats import number_divmod, number_pow
from meshext_wasm.library.builtins.int_text import to_base, to_decimal
from meshext_wasm.library.builtins.powers import power_int, power_modulo
from meshext_wasm.library.raw import alternative, double, float_abs, float_copysign, float_nearest, word


@alternative("abs")
def abs_of_int(number: int, /) -> int:
    """`abs(number)`."""
    return -number if number < 0 else number + 0


@alternative("abs")
def abs_of_float(number: float, /) -> float:
    """`abs(number)`."""
    if isinstance(number, int):
        return -number if number < 0 else number + 0
    return float(float_abs(double(number)))


@alternative("divmod")
def divmod_of_ints(left: int, right: int, /) -> tuple[int, int]:
    """`divmod(left, right)`."""
    if right == 0:
        raise ZeroDivisionError("integer division or modulo by zero")
    return left // right, left % right


@alternative("divmod")
def divmod_of_floats(left: float, right: float, /) -> tuple[float, float]:
    """`divmod(left, right)`."""
    return number_divmod(left, right)


@alternative("pow")
def pow_of_ints(base: int, exp: int, mod: int) -> int:
    """`pow(base, exp, mod)`."""
    return power_modulo(base, exp, mod)


@alternative("pow")
def pow_of_numbers(base: float, exp: float) -> float:
    """`pow(base, exp)`."""
    return number_pow(base, exp)


@alternative("round")
def round_int(number: int, ndigits: int | None = None) -> int:
    """`round(number, ndigits)`, ties to even."""
    if ndigits is None or ndigits >= 0:
        return number + 0
    if -ndigits > 5000:
        return 0
    scale = power_int(10, -ndigits)
    result = nearest(-number if number < 0 else number + 0, scale) * scale
    return -result if number < 0 else result


@alternative("round")
def round_to_int(number: float) -> int:
    """`round(number)`, ties to even."""
    if isinstance(number, int):
        return number + 0
    value = double(number)
    if is_nan(value):
        raise ValueError("cannot convert float NaN to integer")
    if not is_finite(value):
        raise OverflowError("cannot convert float infinity to integer")
    return to_int(float(float_nearest(value)))


@alternative("round")
def round_to_places(number: float, ndigits: int) -> float:
    """`round(number, ndigits)`: the decimal that is closest to the exact value, ties to even."""
    if isinstance(number, int):
        return round_int(number, ndigits)
    value = double(number)
    if not is_finite(value) or ndigits > 323 or value == 0.0:
        return number
    if ndigits < -308:
        return float(float_copysign(double(0.0), value))
    digits = rounded(value, ndigits)
    result = value_of_decimal(digits, -ndigits, len(to_decimal(digits)))
    if not is_finite(result):
        raise OverflowError("rounded value too large to represent")
    return float(float_copysign(result, value))


@alternative("hex")
def hex_of(number: int, /) -> str:
    """`hex(number)`."""
    return with_prefix(number, "0x", word(16))


@alternative("oct")
def oct_of(number: int, /) -> str:
    """`oct(number)`."""
    return with_prefix(number, "0o", word(8))


@alternative("bin")
def bin_of(number: int, /) -> str:
    """`bin(number)`."""
    return with_prefix(number, "0b", word(2))


def with_prefix(number: int, prefix: str, base: word) -> str:
    """Digits of a base with what stands before them in a program."""
    if number < 0:
        return "-" + prefix + to_base(-number, base)
    return prefix + to_base(number, base)
