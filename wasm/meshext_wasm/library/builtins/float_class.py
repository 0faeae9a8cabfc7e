"""float: what every object answers, and its methods. An annotated `float` may be an int, so all take both."""

from __future__ import annotations

from meshext_wasm.library.builtins.doubles import (
    as_double,
    exponent_of,
    is_finite,
    is_minus,
    is_nan,
    mantissa_of,
)
from meshext_wasm.library.builtins.float_parsing import parse, parse_float
from meshext_wasm.library.builtins.float_text import repr_float
from meshext_wasm.library.builtins.floats import number_eq, number_ge, number_gt, number_le, number_lt
from meshext_wasm.library.builtins.int_class import HASH_MODULUS, hash_int
from meshext_wasm.library.builtins.objects import Object
from meshext_wasm.library.builtins.powers import is_whole
from meshext_wasm.library.raw import builtin, constructor, float_abs, load32, method, value_address


@builtin("float")
class Float(Object):
    """IEEE doubles."""


@constructor(float)
def no_float() -> float:
    """`float()`."""
    return 0.0


@constructor(float)
def float_of_number(number: float, /) -> float:
    """`float(number)`."""
    return float(as_double(number))


@constructor(float)
def float_of_text(text: str, /) -> float:
    """`float(text)`."""
    return parse_float(text)


@constructor(float)
def float_of_bytes(data: bytes, /) -> float:
    """`float(data)` of ASCII characters."""
    start = value_address(data) + 16
    result = parse(start, start + load32(value_address(data) + 8))
    if result is None:
        raise ValueError(f"could not convert string to float: {data!r}")
    return result


@method(float, "__eq__")
def equal_float(number: float, other: object) -> bool:
    """`number == other`."""
    return number_eq(number, other) if isinstance(other, int | float) else NotImplemented


@method(float, "__lt__")
def less_float(number: float, other: object) -> bool:
    """`number < other`."""
    return number_lt(number, other) if isinstance(other, int | float) else NotImplemented


@method(float, "__le__")
def less_equal_float(number: float, other: object) -> bool:
    """`number <= other`."""
    return number_le(number, other) if isinstance(other, int | float) else NotImplemented


@method(float, "__gt__")
def greater_float(number: float, other: object) -> bool:
    """`number > other`."""
    return number_gt(number, other) if isinstance(other, int | float) else NotImplemented


@method(float, "__ge__")
def greater_equal_float(number: float, other: object) -> bool:
    """`number >= other`."""
    return number_ge(number, other) if isinstance(other, int | float) else NotImplemented


@method(float, "__hash__")
def hash_float(number: float) -> int:
    """`hash(number)`: that of an equal int, and what CPython's rule makes of fractions and infinities. NaN
    has 0 here; in CPython its hash is made of its address."""
    value = as_double(number)
    if is_nan(value):
        return 0
    if not is_finite(value):
        return -314159 if is_minus(value) else 314159
    shift = exponent_of(value) % 61
    result = hash_int((mantissa_of(value) << shift) % HASH_MODULUS)
    if is_minus(value):
        result = -result
    return -2 if result == -1 else result


@method(float, "__repr__")
def repr_of_float(number: float) -> str:
    """`repr(number)`."""
    return repr_float(as_double(number))


@method(float, "__bool__")
def is_not_zero(number: float) -> bool:
    """Whether it is not 0."""
    return as_double(number) != 0.0


@method(float, "__abs__")
def absolute_float(number: float) -> float:
    """`abs(number)`."""
    return float(float_abs(as_double(number)))


@method(float)
def is_integer(number: float) -> bool:
    """Whether it has no fraction."""
    value = as_double(number)
    return is_finite(value) and is_whole(value)


@method(float)
def conjugate(number: float) -> float:
    """The number itself."""
    return number


@method(float)
def as_integer_ratio(number: float) -> tuple[int, int]:
    """Two ints whose ratio it is exactly, in lowest terms."""
    value = as_double(number)
    if is_nan(value):
        raise ValueError("cannot convert NaN to integer ratio")
    if not is_finite(value):
        raise OverflowError("cannot convert Infinity to integer ratio")
    upper = mantissa_of(value)
    exponent = exponent_of(value)
    while upper != 0 and upper & 1 == 0:
        upper = upper >> 1
        exponent += 1
    if is_minus(value):
        upper = -upper
    if upper == 0:
        return 0, 1
    return (upper << exponent, 1) if exponent >= 0 else (upper, 1 << -exponent)
