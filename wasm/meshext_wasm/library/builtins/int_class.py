"""int: what every object answers, and its methods. The operators are the compiler's and `integers`."""

from __future__ import annotations

from meshext_wasm.library.builtins import limbs
from meshext_wasm.library.builtins.doubles import to_int
from meshext_wasm.library.builtins.floats import (
    number_eq,
    number_ge,
    number_gt,
    number_le,
    number_lt,
)
from meshext_wasm.library.builtins.int_text import from_text, invalid, parse, repr_int
from meshext_wasm.library.builtins.limbs import of
from meshext_wasm.library.builtins.objects import Object
from meshext_wasm.library.raw import (
    builtin,
    constructor,
    int_is_small,
    int_small,
    load32,
    method,
    value_address,
    wide,
    wide_slt,
    word,
    word_popcount,
)

HASH_MODULUS = 0x1FFFFFFFFFFFFFFF


@builtin("int")
class Int(Object):
    """Whole numbers of up to 16,384 bits."""


@constructor(int)
def zero() -> int:
    """`int()`."""
    return 0


@constructor(int)
def int_of_number(number: float, /) -> int:
    """`int(number)`, towards zero."""
    return to_int(number)


@constructor(int)
def int_of_text(text: str, /, base: int = 10) -> int:
    """`int(text)`, `int(text, base)`."""
    return from_text(text, base)


@constructor(int)
def int_of_bytes(data: bytes, /, base: int = 10) -> int:
    """`int(data)` of ASCII digits."""
    start = value_address(data) + 16
    result = parse(start, start + load32(value_address(data) + 8), base)
    if result == 0:
        invalid(base, repr(data))
    return limbs.finish(result)


@method(int, "__eq__")
def equal_int(number: int, other: object) -> bool:
    """`number == other`."""
    return number_eq(number, other) if isinstance(other, int | float) else NotImplemented


@method(int, "__lt__")
def less_int(number: int, other: object) -> bool:
    """`number < other`."""
    return number_lt(number, other) if isinstance(other, int | float) else NotImplemented


@method(int, "__le__")
def less_equal_int(number: int, other: object) -> bool:
    """`number <= other`."""
    return number_le(number, other) if isinstance(other, int | float) else NotImplemented


@method(int, "__gt__")
def greater_int(number: int, other: object) -> bool:
    """`number > other`."""
    return number_gt(number, other) if isinstance(other, int | float) else NotImplemented


@method(int, "__ge__")
def greater_equal_int(number: int, other: object) -> bool:
    """`number >= other`."""
    return number_ge(number, other) if isinstance(other, int | float) else NotImplemented


@method(int, "__hash__")
def hash_int(number: int) -> int:
    """`hash(number)`: the remainder by 2**61 - 1, with the sign; -2 for -1."""
    if int_is_small(number):
        small = int_small(number)
        magnitude = wide(0) - small if wide_slt(small, 0) else small
        if magnitude < 0x1FFFFFFFFFFFFFFF:
            return -2 if number == -1 else number
    rest = -(-number % HASH_MODULUS) if number < 0 else number % HASH_MODULUS
    return -2 if rest == -1 else rest


@method(int, "__repr__")
def repr_of_int(number: int) -> str:
    """`repr(number)`."""
    return repr_int(number)


@method(int, "__bool__")
def is_not_zero(number: int) -> bool:
    """Whether it is not 0."""
    return number != 0


@method(int, "__abs__")
def absolute_int(number: int) -> int:
    """`abs(number)`."""
    return -number if number < 0 else number + 0


@method(int)
def bit_length(number: int) -> int:
    """Bits of the magnitude."""
    return int(limbs.bits_in(of(number)))


@method(int)
def bit_count(number: int) -> int:
    """Bits of the magnitude that are 1."""
    blob = of(number)
    result = word(0)
    index = word(0)
    while index < limbs.size(blob):
        result = result + word_popcount(word(limbs.limb(blob, index)))
        index = index + 1
    return int(result)


@method(int)
def conjugate(number: int) -> int:
    """The number itself."""
    return number + 0


@method(int)
def as_integer_ratio(number: int) -> tuple[int, int]:
    """The number and 1."""
    return number + 0, 1
