"""Raw machine numbers under CPython: ints that wrap at 32 and 64 bits, doubles that divide by zero.

The compiler has these types itself.
"""

from __future__ import annotations

import math
from typing import ClassVar, Self


class Machine(int):
    """An unsigned machine integer: every operation wraps; division by 0 gives 0; a shift's amount is taken
    modulo the width. Mixing widths is a mistake that the compiler refuses, so it is refused here too."""

    bits: ClassVar[int] = 0

    def __new__(cls, value: int = 0) -> Self:
        """The low bits of any int."""
        return int.__new__(cls, int(value) & ((1 << cls.bits) - 1))

    def _other(self, other: int) -> int:
        if isinstance(other, Machine) and type(other) is not type(self):
            raise TypeError(f"{type(self).__name__} with {type(other).__name__}: convert one of them")
        return int(other) & ((1 << self.bits) - 1)

    def signed(self) -> int:
        """The same bits as two's complement."""
        value = int(self)
        return value - (1 << self.bits) if value >> (self.bits - 1) else value

    def __add__(self, other: int) -> Self:
        return type(self)(int(self) + self._other(other))

    def __radd__(self, other: int) -> Self:
        return type(self)(self._other(other) + int(self))

    def __sub__(self, other: int) -> Self:
        return type(self)(int(self) - self._other(other))

    def __rsub__(self, other: int) -> Self:
        return type(self)(self._other(other) - int(self))

    def __mul__(self, other: int) -> Self:
        return type(self)(int(self) * self._other(other))

    def __rmul__(self, other: int) -> Self:
        return type(self)(self._other(other) * int(self))

    def __floordiv__(self, other: int) -> Self:
        divisor = self._other(other)
        return type(self)(int(self) // divisor if divisor else 0)

    def __mod__(self, other: int) -> Self:
        divisor = self._other(other)
        return type(self)(int(self) % divisor if divisor else 0)

    def __and__(self, other: int) -> Self:
        return type(self)(int(self) & self._other(other))

    def __rand__(self, other: int) -> Self:
        return self & other

    def __or__(self, other: int) -> Self:
        return type(self)(int(self) | self._other(other))

    def __ror__(self, other: int) -> Self:
        return self | other

    def __xor__(self, other: int) -> Self:
        return type(self)(int(self) ^ self._other(other))

    def __rxor__(self, other: int) -> Self:
        return self ^ other

    def __lshift__(self, other: int) -> Self:
        return type(self)(int(self) << (self._other(other) % self.bits))

    def __rlshift__(self, other: int) -> Self:
        return type(self)(self._other(other)) << int(self)

    def __rshift__(self, other: int) -> Self:
        return type(self)(int(self) >> (self._other(other) % self.bits))

    def __neg__(self) -> Self:
        return type(self)(-int(self))

    def __invert__(self) -> Self:
        return type(self)(~int(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, int) and int(self) == self._other(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(int(self))

    def __lt__(self, other: int) -> bool:
        return int(self) < self._other(other)

    def __le__(self, other: int) -> bool:
        return int(self) <= self._other(other)

    def __gt__(self, other: int) -> bool:
        return int(self) > self._other(other)

    def __ge__(self, other: int) -> bool:
        return int(self) >= self._other(other)


class word(Machine):  # noqa: N801 - reads like a type of the machine
    """32 bits. `word(x)` takes a word, the low half of a wide, a bool, or an int that is small."""

    bits: ClassVar[int] = 32


class wide(Machine):  # noqa: N801
    """64 bits. `wide(x)` takes a wide, a word (its upper half becomes 0), a bool, or an int that is small."""

    bits: ClassVar[int] = 64


class double(float):  # noqa: N801
    """An IEEE double out of its box. `double(x)` takes a value that is exactly a float; `float(d)` boxes."""

    def __add__(self, other: float) -> double:
        return double(float(self) + float(other))

    def __radd__(self, other: float) -> double:
        return double(float(other) + float(self))

    def __sub__(self, other: float) -> double:
        return double(float(self) - float(other))

    def __rsub__(self, other: float) -> double:
        return double(float(other) - float(self))

    def __mul__(self, other: float) -> double:
        return double(float(self) * float(other))

    def __rmul__(self, other: float) -> double:
        return double(float(other) * float(self))

    def __truediv__(self, other: float) -> double:
        return divide(float(self), float(other))

    def __rtruediv__(self, other: float) -> double:
        return divide(float(other), float(self))

    def __neg__(self) -> double:
        return double(-float(self))


def divide(left: float, right: float) -> double:
    """IEEE division: by zero it gives infinity or NaN."""
    if right != 0.0:
        return double(left / right)
    if left == 0.0 or math.isnan(left):
        return double(math.nan)
    return double(math.copysign(math.inf, left) * math.copysign(1.0, right))


def word_sdiv(left: word, right: int) -> word:
    """Signed division, towards zero."""
    return word(quotient(left.signed(), word(right).signed()))


def word_srem(left: word, right: int) -> word:
    """Signed remainder, with the sign of the left side."""
    return word(remainder(left.signed(), word(right).signed()))


def word_sar(left: word, right: int) -> word:
    """Shift right that keeps the sign."""
    return word(left.signed() >> (right % 32))


def word_slt(left: word, right: int) -> bool:
    """Signed `<`."""
    return left.signed() < word(right).signed()


def word_sle(left: word, right: int) -> bool:
    """Signed `<=`."""
    return left.signed() <= word(right).signed()


def word_sgt(left: word, right: int) -> bool:
    """Signed `>`."""
    return left.signed() > word(right).signed()


def word_sge(left: word, right: int) -> bool:
    """Signed `>=`."""
    return left.signed() >= word(right).signed()


def word_clz(value: word) -> word:
    """Zero bits above the highest one; 32 for 0."""
    return word(32 - int(value).bit_length())


def word_ctz(value: word) -> word:
    """Zero bits below the lowest one; 32 for 0."""
    return word((int(value) & -int(value)).bit_length() - 1 if value else 32)


def word_popcount(value: word) -> word:
    """Bits that are 1."""
    return word(int(value).bit_count())


def word_from_bool(value: bool) -> word:
    """1 or 0."""
    return word(value)


def wide_sdiv(left: wide, right: int) -> wide:
    """Signed division, towards zero."""
    return wide(quotient(left.signed(), wide(right).signed()))


def wide_srem(left: wide, right: int) -> wide:
    """Signed remainder, with the sign of the left side."""
    return wide(remainder(left.signed(), wide(right).signed()))


def wide_sar(left: wide, right: int) -> wide:
    """Shift right that keeps the sign."""
    return wide(left.signed() >> (right % 64))


def wide_slt(left: wide, right: int) -> bool:
    """Signed `<`."""
    return left.signed() < wide(right).signed()


def wide_sle(left: wide, right: int) -> bool:
    """Signed `<=`."""
    return left.signed() <= wide(right).signed()


def wide_sgt(left: wide, right: int) -> bool:
    """Signed `>`."""
    return left.signed() > wide(right).signed()


def wide_sge(left: wide, right: int) -> bool:
    """Signed `>=`."""
    return left.signed() >= wide(right).signed()


def wide_clz(value: wide) -> wide:
    """Zero bits above the highest one; 64 for 0."""
    return wide(64 - int(value).bit_length())


def wide_ctz(value: wide) -> wide:
    """Zero bits below the lowest one; 64 for 0."""
    return wide((int(value) & -int(value)).bit_length() - 1 if value else 64)


def wide_popcount(value: wide) -> wide:
    """Bits that are 1."""
    return wide(int(value).bit_count())


def wide_from_word_signed(value: word) -> wide:
    """The upper half becomes the sign."""
    return wide(value.signed())


def quotient(left: int, right: int) -> int:
    """Division towards zero; by 0 it gives 0."""
    return 0 if right == 0 else abs(left) // abs(right) * (-1 if (left < 0) != (right < 0) else 1)


def remainder(left: int, right: int) -> int:
    """What `quotient` leaves; by 0 it gives 0."""
    return 0 if right == 0 else left - right * quotient(left, right)
