"""Arithmetic and comparison of numbers that may be floats: `float` in an annotation is an int too."""

from __future__ import annotations

from meshext_wasm.library.builtins.doubles import (
    as_double,
    is_finite,
    is_minus,
    is_nan,
    ratio,
    to_int,
)
from meshext_wasm.library.builtins.powers import power, power_int
from meshext_wasm.library.builtins.remainders import floor_quotient, floor_rest
from meshext_wasm.library.raw import double, float_trunc, word

__all__ = ["to_int"]


def number_add(left: float, right: float) -> float:
    """`left + right`."""
    if isinstance(left, int) and isinstance(right, int):
        return left + right
    return float(as_double(left) + as_double(right))


def number_sub(left: float, right: float) -> float:
    """`left - right`."""
    if isinstance(left, int) and isinstance(right, int):
        return left - right
    return float(as_double(left) - as_double(right))


def number_mul(left: float, right: float) -> float:
    """`left * right`."""
    if isinstance(left, int) and isinstance(right, int):
        return left * right
    return float(as_double(left) * as_double(right))


def number_truediv(left: float, right: float) -> float:
    """`left / right`; of two ints the double next to their ratio."""
    if isinstance(left, int) and isinstance(right, int):
        return divide_ints(left, right)
    divisor = as_double(right)
    dividend = as_double(left)
    if divisor == 0.0:
        raise ZeroDivisionError("float division by zero")
    return float(dividend / divisor)


def divide_ints(left: int, right: int) -> float:
    """`left / right` of ints."""
    if right == 0:
        raise ZeroDivisionError("division by zero")
    result = ratio(-left if left < 0 else left, -right if right < 0 else right)
    if not is_finite(result):
        raise OverflowError("integer division result too large for a float")
    return float(-result if (left < 0) != (right < 0) else result)


def number_floordiv(left: float, right: float) -> float:
    """`left // right`."""
    if isinstance(left, int) and isinstance(right, int):
        return left // right
    dividend = as_double(left)
    divisor = as_double(right)
    if divisor == 0.0:
        raise ZeroDivisionError("float floor division by zero")
    return float(floor_quotient(dividend, divisor))


def number_mod(left: float, right: float) -> float:
    """`left % right`."""
    if isinstance(left, int) and isinstance(right, int):
        return left % right
    dividend = as_double(left)
    divisor = as_double(right)
    if divisor == 0.0:
        raise ZeroDivisionError("float modulo")
    return float(floor_rest(dividend, divisor))


def number_divmod(left: float, right: float) -> tuple[float, float]:
    """`divmod(left, right)`."""
    if isinstance(left, int) and isinstance(right, int):
        return left // right, left % right
    dividend = as_double(left)
    divisor = as_double(right)
    if divisor == 0.0:
        raise ZeroDivisionError("float divmod()")
    return float(floor_quotient(dividend, divisor)), float(floor_rest(dividend, divisor))


def number_pow(left: float, right: float) -> float:
    """`left ** right`; of ints an int, unless the exponent is below 0."""
    if isinstance(left, int) and isinstance(right, int) and right >= 0:
        return power_int(left, right)
    return float(power(as_double(left), as_double(right)))


def number_neg(number: float) -> float:
    """`-number`."""
    return -number if isinstance(number, int) else float(-double(number))


def order_numbers(left: float, right: float) -> word:
    """0 less, 1 equal, 2 greater, 3 for NaN; exact between ints and floats."""
    if isinstance(left, int) and isinstance(right, int):
        return word(0) if left < right else word(1) if left == right else word(2)
    if isinstance(left, int):
        order = order_float(double(right), left)
        return order if order == 3 else word(2) - order
    if isinstance(right, int):
        return order_float(double(left), right)
    first = double(left)
    second = double(right)
    if first < second:
        return word(0)
    if first > second:
        return word(2)
    return word(1) if first == second else word(3)


def order_float(number: double, other: int) -> word:
    """A float against an int, for `order_numbers`."""
    if is_nan(number):
        return word(3)
    if not is_finite(number):
        return word(0) if is_minus(number) else word(2)
    whole = to_int(float(number))
    if whole != other:
        return word(0) if whole < other else word(2)
    part = number - float_trunc(number)
    return word(0) if part < 0.0 else word(2) if part > 0.0 else word(1)


def number_lt(left: float, right: float) -> bool:
    """`left < right`."""
    return order_numbers(left, right) == 0


def number_le(left: float, right: float) -> bool:
    """`left <= right`."""
    return order_numbers(left, right) <= 1


def number_gt(left: float, right: float) -> bool:
    """`left > right`."""
    return order_numbers(left, right) == 2


def number_ge(left: float, right: float) -> bool:
    """`left >= right`."""
    order = order_numbers(left, right)
    return order == 1 or order == 2


def number_eq(left: float, right: float) -> bool:
    """`left == right`."""
    return order_numbers(left, right) == 1


def number_ne(left: float, right: float) -> bool:
    """`left != right`."""
    return order_numbers(left, right) != 1
