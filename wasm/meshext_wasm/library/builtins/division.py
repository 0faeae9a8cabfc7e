"""Division of magnitudes (see `limbs`): Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D."""

from __future__ import annotations

from meshext_wasm.library.builtins.limbs import (
    bits_in,
    compare,
    copy,
    divide_small,
    limb,
    new,
    put,
    shift_left,
    shift_right,
    size,
    trim,
)
from meshext_wasm.library.raw import (
    budget_charge,
    memory_copy,
    nothrow,
    store32,
    wide,
    wide_sar,
    wide_slt,
    word,
)


def divide(dividend: word, divisor: word, rest: word) -> word:
    """The quotient; the remainder goes to `rest`, a blob of as many limbs as the divisor, which is not 0."""
    if compare(dividend, divisor) == 0:
        memory_copy(rest + 16, dividend + 16, size(dividend) * 4)
        trim(rest)
        return new(word(0))
    if size(divisor) == 1:
        quotient = copy(dividend, size(dividend))
        put(rest, word(0), divide_small(quotient, limb(divisor, word(0))))
        trim(rest)
        return quotient
    budget_charge(size(divisor) * (size(dividend) - size(divisor) + 1))
    shift = size(divisor) * 32 - bits_in(divisor)
    scaled = shift_left(divisor, shift)
    work = room_above(shift_left(dividend, shift), size(dividend) + 1)
    quotient = divide_scaled(work, scaled)
    trim(work)
    result = shift_right(work, shift)
    memory_copy(rest + 16, result + 16, size(result) * 4)
    store32(rest + 12, size(result))
    trim(rest)
    return quotient


def room_above(blob: word, room: word) -> word:
    """The blob itself or a copy, with this many limbs."""
    return blob if size(blob) == room else copy(blob, room)


def divide_scaled(work: word, divisor: word) -> word:
    """The quotient; `work` becomes the remainder. The divisor's highest bit is set."""
    count = size(divisor)
    quotient = new(size(work) - count)
    index = size(quotient)
    while index > 0:
        index = index - 1
        guess = guess_digit(work, divisor, index + count)
        if take(work, divisor, index, guess):
            guess = guess - 1
            give_back(work, divisor, index)
        put(quotient, index, guess)
    trim(quotient)
    return quotient


@nothrow
def guess_digit(work: word, divisor: word, top: word) -> wide:
    """The digit of the quotient from the upper limbs, right or one too much."""
    upper = limb(divisor, size(divisor) - 1)
    lower = limb(divisor, size(divisor) - 2)
    pair = (limb(work, top) << 32) | limb(work, top - 1)
    guess = pair // upper
    left = pair % upper
    while guess >= 0x100000000 or guess * lower > ((left << 32) | limb(work, top - 2)):
        guess = guess - 1
        left = left + upper
        if left >= 0x100000000:
            break
    return guess


@nothrow
def take(work: word, divisor: word, start: word, factor: wide) -> bool:
    """Subtract `factor` times the divisor at a place; whether it was too much."""
    borrow = wide(0)
    carry = wide(0)
    index = word(0)
    while index < size(divisor):
        carry = carry + factor * limb(divisor, index)
        part = limb(work, start + index) + borrow - (carry & 0xFFFFFFFF)
        put(work, start + index, part)
        borrow = wide_sar(part, 32)
        carry = carry >> 32
        index = index + 1
    part = limb(work, start + index) + borrow - carry
    put(work, start + index, part)
    return wide_slt(part, 0)


@nothrow
def give_back(work: word, divisor: word, start: word) -> None:
    """Add the divisor at a place."""
    carry = wide(0)
    index = word(0)
    while index < size(divisor):
        carry = carry + limb(work, start + index) + limb(divisor, index)
        put(work, start + index, carry)
        carry = carry >> 32
        index = index + 1
    put(work, start + index, carry + limb(work, start + index))
