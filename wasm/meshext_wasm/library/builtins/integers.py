"""Python's ints: what the compiled fast paths on 63 bits leave over. See `limbs` for how big ones look."""

from __future__ import annotations

from meshext_wasm.library.builtins import limbs
from meshext_wasm.library.builtins.division import divide
from meshext_wasm.library.builtins.limbs import finish, of, sign, size
from meshext_wasm.library.raw import (
    int_is_small,
    int_small,
    int_tag,
    nothrow,
    store32,
    value_bits,
    value_is,
    wide,
    wide_slt,
    word,
)

BITS_MOST = 16384


def is_bool(number: int) -> bool:
    """Whether an int is True or False."""
    return value_is(number, True) or value_is(number, False)


def is_negative(number: int) -> bool:
    """Whether an int is below zero."""
    if int_is_small(number):
        return wide_slt(int_small(number), 0)
    return not is_bool(number) and sign(of(number)) != 0


def sum_of(left: word, right: word, flip: word) -> int:
    """The sum; `flip` 1 negates the right side."""
    if sign(left) == sign(right) ^ flip:
        result = limbs.add(left, right)
        store32(result + 8, sign(left))
        return finish(result)
    order = limbs.compare(left, right)
    if order == 1:
        return 0
    if order == 2:
        result = limbs.subtract(left, right)
        store32(result + 8, sign(left))
        return finish(result)
    result = limbs.subtract(right, left)
    store32(result + 8, sign(right) ^ flip)
    return finish(result)


def add_slow(left: int, right: int) -> int:
    """`left + right`."""
    return sum_of(of(left), of(right), word(0))


def sub_slow(left: int, right: int) -> int:
    """`left - right`."""
    return sum_of(of(left), of(right), word(1))


def mul_slow(left: int, right: int) -> int:
    """`left * right`."""
    first = of(left)
    second = of(right)
    result = limbs.multiply(first, second)
    store32(result + 8, sign(first) ^ sign(second))
    return finish(result)


def neg_slow(number: int) -> int:
    """`-number`."""
    return sum_of(of(0), of(number), word(1))


def invert_slow(number: int) -> int:
    """`~number`."""
    return sum_of(of(-1), of(number), word(1))


def floordiv_slow(left: int, right: int) -> int:
    """`left // right`, rounded down."""
    first = of(left)
    second = of(right)
    if size(second) == 0:
        raise ZeroDivisionError("integer division or modulo by zero")
    rest = limbs.new(size(second))
    quotient = divide(first, second, rest)
    if sign(first) == sign(second):
        return finish(quotient)
    if size(rest) > 0:
        quotient = limbs.add(quotient, of(1))
    store32(quotient + 8, 1)
    return finish(quotient)


def mod_slow(left: int, right: int) -> int:
    """`left % right`, with the sign of the right side."""
    first = of(left)
    second = of(right)
    if size(second) == 0:
        raise ZeroDivisionError("integer modulo by zero")
    rest = limbs.new(size(second))
    divide(first, second, rest)
    if sign(first) != sign(second) and size(rest) > 0:
        rest = limbs.subtract(second, rest)
    store32(rest + 8, sign(second))
    return finish(rest)


def order_of(left: int, right: int) -> word:
    """0 less, 1 equal, 2 greater."""
    first = of(left)
    second = of(right)
    if sign(first) != sign(second):
        return word(0) if sign(first) != 0 else word(2)
    order = limbs.compare(first, second)
    return order if sign(first) == 0 else word(2) - order


def lt_slow(left: int, right: int) -> bool:
    """`left < right`."""
    return order_of(left, right) == 0


def le_slow(left: int, right: int) -> bool:
    """`left <= right`."""
    return order_of(left, right) != 2


def gt_slow(left: int, right: int) -> bool:
    """`left > right`."""
    return order_of(left, right) == 2


def ge_slow(left: int, right: int) -> bool:
    """`left >= right`."""
    return order_of(left, right) != 0


def eq_slow(left: int, right: int) -> bool:
    """`left == right`."""
    return order_of(left, right) == 1


def ne_slow(left: int, right: int) -> bool:
    """`left != right`."""
    return order_of(left, right) != 1


def twos(blob: word, count: word) -> word:
    """Two's complement in so many limbs, as a blob that is not trimmed."""
    result = limbs.copy(blob, count)
    if sign(blob) != 0:
        complement(result)
    return result


@nothrow
def complement(blob: word) -> None:
    """Negate two's complement in place."""
    carry = wide(1)
    index = word(0)
    while index < size(blob):
        carry = carry + (limbs.limb(blob, index) ^ 0xFFFFFFFF)
        limbs.put(blob, index, carry)
        carry = carry >> 32
        index = index + 1


def of_twos(blob: word) -> int:
    """The int of two's complement."""
    if (limbs.limb(blob, size(blob) - 1) >> 31) != 0:
        complement(blob)
        store32(blob + 8, 1)
    return finish(blob)


@nothrow
def wider(left: word, right: word) -> word:
    """Limbs that hold the two's complement of both."""
    return (size(left) if size(left) > size(right) else size(right)) + 1


def and_slow(left: int, right: int) -> int:
    """`left & right`; a bool of two bools."""
    if is_bool(left) and is_bool(right):
        return (value_bits(left) & value_bits(right)) == 6
    first = of(left)
    second = of(right)
    count = wider(first, second)
    result = twos(first, count)
    other = twos(second, count)
    index = word(0)
    while index < count:
        limbs.put(result, index, limbs.limb(result, index) & limbs.limb(other, index))
        index = index + 1
    return of_twos(result)


def or_slow(left: int, right: int) -> int:
    """`left | right`; a bool of two bools."""
    if is_bool(left) and is_bool(right):
        return (value_bits(left) | value_bits(right)) == 6
    first = of(left)
    second = of(right)
    count = wider(first, second)
    result = twos(first, count)
    other = twos(second, count)
    index = word(0)
    while index < count:
        limbs.put(result, index, limbs.limb(result, index) | limbs.limb(other, index))
        index = index + 1
    return of_twos(result)


def xor_slow(left: int, right: int) -> int:
    """`left ^ right`; a bool of two bools."""
    if is_bool(left) and is_bool(right):
        return value_bits(left) != value_bits(right)
    first = of(left)
    second = of(right)
    count = wider(first, second)
    result = twos(first, count)
    other = twos(second, count)
    index = word(0)
    while index < count:
        limbs.put(result, index, limbs.limb(result, index) ^ limbs.limb(other, index))
        index = index + 1
    return of_twos(result)


def lshift_slow(left: int, right: int) -> int:
    """`left << right`."""
    if is_negative(right):
        raise ValueError("negative shift count")
    blob = of(left)
    amount = of(right)
    if size(blob) == 0:
        return 0
    if size(amount) > 1 or limbs.bits_in(blob) + shift_of(amount) > word(BITS_MOST):
        limbs.refuse_size()
    result = limbs.shift_left(blob, shift_of(amount))
    store32(result + 8, sign(blob))
    return finish(result)


@nothrow
def shift_of(amount: word) -> word:
    """A shift's amount, capped at what moves every bit out."""
    if size(amount) == 0:
        return word(0)
    low = word(limbs.limb(amount, word(0)))
    most = word(BITS_MOST) + 64
    return low if size(amount) == 1 and low < most else most


def rshift_slow(left: int, right: int) -> int:
    """`left >> right`, rounded down."""
    if is_negative(right):
        raise ValueError("negative shift count")
    blob = of(left)
    amount = shift_of(of(right))
    result = limbs.shift_right(blob, amount)
    if sign(blob) == 0:
        return finish(result)
    if limbs.loses_bits(blob, amount):
        result = limbs.add(result, of(1))
    store32(result + 8, 1)
    return finish(result)


def from_wide(number: wide) -> int:
    """The int of a wide without sign."""
    if number < 0x4000000000000000:
        return int_tag(number)
    blob = limbs.new(word(2))
    limbs.put(blob, word(0), number)
    limbs.put(blob, word(1), number >> 32)
    return finish(blob)
