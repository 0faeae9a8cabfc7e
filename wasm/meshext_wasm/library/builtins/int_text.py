"""Ints as text and text as ints, in the bases from 2 to 36."""

from __future__ import annotations

from typing import NoReturn

from meshext_wasm.library.builtins import limbs
from meshext_wasm.library.builtins.ascii import cut, digit_of, drop_spaces, new_ascii, skip_spaces, value_of
from meshext_wasm.library.builtins.decimals import plain
from meshext_wasm.library.builtins.integers import is_bool
from meshext_wasm.library.builtins.limbs import bits_in, finish, multiply_small, of, refuse_size, sign, size
from meshext_wasm.library.builtins.text import text_length
from meshext_wasm.library.raw import budget_charge, load8, store8, store32, value_address, wide, word

DIGITS_MOST = 4300  # as CPython's default, so that the same text fails in both


def to_decimal(number: int) -> str:
    """`str(number)` of an int that is no bool."""
    return to_base(number, word(10))


def to_base(number: int, base: word) -> str:
    """The digits of an int in lower case, with `-` before a negative one."""
    blob = of(number)
    room = bits_in(blob) + 2
    if base >= 8:
        room = room // 3 + 2
    text = new_ascii(room)
    end = text + 24 + room
    start = write_digits(limbs.copy(blob, size(blob)), base, end)
    if base == 10 and end - start > word(DIGITS_MOST):
        raise ValueError(
            "Exceeds the limit (4300 digits) for integer string conversion; "
            "use sys.set_int_max_str_digits() to increase the limit"
        )
    if sign(blob) != 0:
        start = start - 1
        store8(start, 45)
    return cut(text, start, end)


def chunk_of(base: word) -> word:
    """How many digits of a base fit a limb."""
    count = word(1)
    power = wide(base) * wide(base)
    while power < 0x100000000:
        count = count + 1
        power = power * wide(base)
    return count


def power_of(base: word, exponent: word) -> wide:
    """A power that fits 64 bits."""
    result = wide(1)
    while exponent > 0:
        result = result * wide(base)
        exponent = exponent - 1
    return result


def write_digits(blob: word, base: word, end: word) -> word:
    """Write the digits of a magnitude, which is used up, so that they end at an address; where they begin."""
    if size(blob) == 0:
        store8(end - 1, 48)
        return end - 1
    budget_charge(size(blob) * size(blob) * word(12))
    count = chunk_of(base)
    divisor = power_of(base, count)
    at = end
    while size(blob) > 0:
        part = word(limbs.divide_small(blob, divisor))
        left = count
        while part != 0 or (left > 0 and size(blob) > 0):
            at = at - 1
            store8(at, digit_of(part % base))
            part = part // base
            left = left - 1
    return at


def from_text(text: str, base: int) -> int:
    """`int(text, base)`."""
    start = plain(text)
    result = parse(start, start + text_length(value_address(text)), base)
    if result == 0:
        invalid(base, repr(text))
    return finish(result)


def invalid(base: int, shown: str) -> NoReturn:
    """What a text that is no int ends in."""
    raise ValueError(f"invalid literal for int() with base {base}: {shown[:200]}")


def check_base(base: int) -> None:
    """Refuse a base that is none."""
    if (base != 0 and base < 2) or base > 36:
        raise ValueError("int() base must be >= 2 and <= 36, or 0")


def parse(start: word, end: word, base: int) -> word:
    """The blob of what stands between two addresses, or 0 when it is no int of this base."""
    check_base(base)
    start = skip_spaces(start, end)
    end = drop_spaces(start, end)
    negative = word(0)
    if start < end and (load8(start) == 43 or load8(start) == 45):
        negative = word(1) if load8(start) == 45 else word(0)
        start = start + 1
    radix = word(base)
    prefix = prefix_of(start, end)
    only_zero = False
    if base == 0:
        only_zero = prefix == 0 and start < end and load8(start) == 48
        radix = prefix if prefix != 0 else word(10)
    if prefix != 0 and prefix == radix:
        start = start + 2
        if start < end and load8(start) == 95:
            start = start + 1
    digits = count_digits(start, end, radix)
    if digits == 0:
        return word(0)
    check_digits(digits, radix)
    result = read_digits(start, end, radix, digits)
    if only_zero and size(result) > 0:
        return word(0)
    store32(result + 8, negative if size(result) > 0 else word(0))
    return result


def prefix_of(start: word, end: word) -> word:
    """The base that `0x`, `0o` or `0b` says, or 0."""
    if end - start < 2 or end < start or load8(start) != 48:
        return word(0)
    letter = load8(start + 1) | 32
    if letter == 120:
        return word(16)
    if letter == 111:
        return word(8)
    return word(2) if letter == 98 else word(0)


def count_digits(start: word, end: word, base: word) -> word:
    """How many digits there are, or 0 where it is not only digits with single underscores among them."""
    count = word(0)
    after_digit = False
    while start < end:
        found = load8(start)
        if found == 95 and after_digit:
            after_digit = False
        elif value_of(found) < base:
            count = count + 1
            after_digit = True
        else:
            return word(0)
        start = start + 1
    return count if after_digit else word(0)


def check_digits(digits: word, base: word) -> None:
    """Refuse more digits than CPython takes, and than our ints hold."""
    if (base & (base - 1)) == 0:
        return
    if digits > word(DIGITS_MOST):
        raise ValueError(
            f"Exceeds the limit (4300 digits) for integer string conversion: value has {int(digits)} digits; "
            "use sys.set_int_max_str_digits() to increase the limit"
        )


def read_digits(start: word, end: word, base: word, digits: word) -> word:
    """The blob of digits that were checked."""
    if digits > 20000:
        start = drop_zeros(start, end)
        if end - start > 33000:
            refuse_size()
    room = digits // chunk_of(base) + 1
    budget_charge(room * room)
    result = limbs.new(room)
    store32(result + 12, 0)
    part = wide(0)
    scale = wide(1)
    while start < end:
        found = load8(start)
        start = start + 1
        if found != 95:
            part = part * wide(base) + wide(value_of(found))
            scale = scale * wide(base)
        if scale * wide(base) >= 0x100000000 or start == end:
            store32(result + 12, size(result) + 1)
            multiply_small(result, scale, part)
            limbs.trim(result)
            part = wide(0)
            scale = wide(1)
    return result


def drop_zeros(start: word, end: word) -> word:
    """The first address that holds no zero or underscore."""
    while start < end and (load8(start) == 48 or load8(start) == 95):
        start = start + 1
    return start


def repr_int(number: int) -> str:
    """`repr(number)`, bools too."""
    if is_bool(number):
        return "True" if number else "False"
    return to_decimal(number)
