"""Big integers as magnitudes in memory: an int's blob holds sign, count, and limbs of 32 bits.

Everything here takes and gives addresses of such blobs. They may be longer than needed while they are
worked on; `finish` makes a Python int of one.
"""

from __future__ import annotations

from typing import NoReturn

from meshext_wasm.library.raw import (
    blob_new,
    budget_charge,
    class_descriptor,
    int_is_small,
    int_small,
    int_tag,
    load32,
    memory_copy,
    memory_fill,
    nothrow,
    store32,
    value_address,
    value_at,
    value_bits,
    wide,
    wide_slt,
    word,
    word_clz,
)

LIMBS_MOST = 512


def new(size: word) -> word:
    """A blob for so many limbs, all 0, positive."""
    blob = value_address(blob_new(class_descriptor(int), word(8) + size * 4))
    store32(blob + 8, 0)
    store32(blob + 12, size)
    memory_fill(blob + 16, 0, size * 4)
    return blob


@nothrow
def sign(blob: word) -> word:
    """1 for a negative number."""
    return load32(blob + 8)


@nothrow
def size(blob: word) -> word:
    """Number of limbs."""
    return load32(blob + 12)


@nothrow
def limb(blob: word, index: word) -> wide:
    """One limb; index 0 is the lowest."""
    return wide(load32(blob + 16 + index * 4))


@nothrow
def put(blob: word, index: word, value: wide) -> None:
    """Write the low half of a number into a limb."""
    store32(blob + 16 + index * 4, word(value))


def of_wide(number: wide) -> word:
    """The blob of a signed machine number."""
    blob = new(word(2))
    magnitude = number
    if wide_slt(number, 0):
        magnitude = wide(0) - number
        store32(blob + 8, 1)
    put(blob, word(0), magnitude)
    put(blob, word(1), magnitude >> 32)
    trim(blob)
    return blob


def of(number: int) -> word:
    """The blob of any int; that of a big one is not to be written."""
    if int_is_small(number):
        return of_wide(int_small(number))
    bits = value_bits(number)
    if bits <= 6:
        return of_wide(bits >> 2)
    return value_address(number)


@nothrow
def trim(blob: word) -> None:
    """Drop upper limbs that are 0."""
    count = size(blob)
    while count > 0 and limb(blob, count - 1) == 0:
        count = count - 1
    store32(blob + 12, count)
    if count == 0:
        store32(blob + 8, 0)


def refuse_size() -> NoReturn:
    """What a number above the most bits ends in."""
    raise OverflowError("integer of more than 16384 bits")


def finish(blob: word) -> int:
    """The Python int of a blob that nobody else uses."""
    trim(blob)
    count = size(blob)
    if count <= 2:
        magnitude = limb(blob, word(0)) if count > 0 else wide(0)
        if count == 2:
            magnitude = magnitude | (limb(blob, word(1)) << 32)
        negative = sign(blob) != 0
        if magnitude < 0x4000000000000000 or (negative and magnitude == 0x4000000000000000):
            return int_tag(wide(0) - magnitude if negative else magnitude)
    if count > word(LIMBS_MOST):
        refuse_size()
    store32(blob + 4, word(8) + count * 4)
    return value_at(blob)


@nothrow
def bits_in(blob: word) -> word:
    """Bits of the magnitude."""
    count = size(blob)
    return word(0) if count == 0 else count * 32 - word_clz(word(limb(blob, count - 1)))


def copy(blob: word, room: word) -> word:
    """A blob of its own with so many limbs, at least those that are there; positive."""
    result = new(room)
    memory_copy(result + 16, blob + 16, size(blob) * 4)
    return result


@nothrow
def compare(left: word, right: word) -> word:
    """Magnitudes without leading zeros: 0 less, 1 equal, 2 greater."""
    if size(left) != size(right):
        return word(0) if size(left) < size(right) else word(2)
    index = size(left)
    while index > 0:
        index = index - 1
        if limb(left, index) != limb(right, index):
            return word(0) if limb(left, index) < limb(right, index) else word(2)
    return word(1)


def add(left: word, right: word) -> word:
    """Sum of the magnitudes."""
    if size(left) < size(right):
        return add(right, left)
    result = new(size(left) + 1)
    carry = wide(0)
    index = word(0)
    while index < size(left):
        carry = carry + limb(left, index)
        if index < size(right):
            carry = carry + limb(right, index)
        put(result, index, carry)
        carry = carry >> 32
        index = index + 1
    put(result, index, carry)
    trim(result)
    return result


def subtract(left: word, right: word) -> word:
    """Difference of the magnitudes; the left one is not the smaller."""
    result = new(size(left))
    borrow = wide(0)
    index = word(0)
    while index < size(left):
        part = limb(left, index) - borrow
        if index < size(right):
            part = part - limb(right, index)
        put(result, index, part)
        borrow = part >> 63
        index = index + 1
    trim(result)
    return result


def multiply(left: word, right: word) -> word:
    """Product of the magnitudes."""
    if size(left) + size(right) > word(LIMBS_MOST) + 2:
        refuse_size()
    budget_charge(size(left) * size(right))
    result = new(size(left) + size(right))
    row = word(0)
    while row < size(left):
        factor = limb(left, row)
        carry = wide(0)
        column = word(0)
        while column < size(right):
            carry = carry + factor * limb(right, column) + limb(result, row + column)
            put(result, row + column, carry)
            carry = carry >> 32
            column = column + 1
        put(result, row + column, carry)
        row = row + 1
    trim(result)
    return result


@nothrow
def multiply_small(blob: word, factor: wide, addend: wide) -> None:
    """Multiply in place by a number below 2**32 and add one; there must be room for the carry."""
    carry = addend
    index = word(0)
    while index < size(blob):
        carry = carry + limb(blob, index) * factor
        put(blob, index, carry)
        carry = carry >> 32
        index = index + 1


@nothrow
def divide_small(blob: word, divisor: wide) -> wide:
    """Divide in place by a number below 2**32; the remainder."""
    rest = wide(0)
    index = size(blob)
    while index > 0:
        index = index - 1
        rest = (rest << 32) | limb(blob, index)
        put(blob, index, rest // divisor)
        rest = rest % divisor
    trim(blob)
    return rest


def shift_left(blob: word, amount: word) -> word:
    """The magnitude times a power of two."""
    limbs = amount // 32
    bits = wide(amount % 32)
    result = new(size(blob) + limbs + 1)
    carry = wide(0)
    index = word(0)
    while index < size(blob):
        carry = carry | (limb(blob, index) << bits)
        put(result, index + limbs, carry)
        carry = carry >> 32
        index = index + 1
    put(result, index + limbs, carry)
    trim(result)
    return result


def shift_right(blob: word, amount: word) -> word:
    """The magnitude divided by a power of two, rounded down."""
    limbs = amount // 32
    bits = wide(amount % 32)
    if limbs >= size(blob):
        return new(word(0))
    result = new(size(blob) - limbs)
    index = word(0)
    while index < size(result):
        part = limb(blob, index + limbs)
        if index + limbs + 1 < size(blob):
            part = part | (limb(blob, index + limbs + 1) << 32)
        put(result, index, part >> bits)
        index = index + 1
    trim(result)
    return result


@nothrow
def loses_bits(blob: word, amount: word) -> bool:
    """Whether `shift_right` drops a bit that is 1."""
    limbs = amount // 32
    if limbs >= size(blob):
        return size(blob) > 0
    index = word(0)
    while index < limbs:
        if limb(blob, index) != 0:
            return True
        index = index + 1
    return (limb(blob, limbs) & ((wide(1) << wide(amount % 32)) - 1)) != 0
