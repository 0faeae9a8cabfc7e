"""What a character is: the properties that str's methods ask for, and what its case becomes."""

from __future__ import annotations

from meshext_wasm.library.builtins.unicode_data import MAPPED, RANGES, RECORDS
from meshext_wasm.library.raw import load8, value_address, word

ALPHA = 1
DECIMAL = 2
DIGIT = 4
NUMERIC = 8
LOWER = 16
UPPER = 32
TITLE = 64
PRINTABLE = 128
NAME_START = 256
NAME_PART = 512
CASED = 1024
IGNORABLE = 2048

UPPERED = 3
LOWERED = 7
TITLED = 11
FOLDED = 15
RECORD = 19
EXTENDED = 0x800000
SIMPLE = 0x200000


def is_space(point: int) -> bool:
    """Whether `split` and `strip` take a character for a space."""
    if point < 128:
        return point == 32 or 9 <= point <= 13 or 28 <= point <= 31
    if point < 0x1680:
        return point == 0x85 or point == 0xA0
    return point in (0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000) or 0x2000 <= point <= 0x200A


def is_line_end(point: int) -> bool:
    """Whether `splitlines` ends a line at a character."""
    return 10 <= point <= 13 or 28 <= point <= 30 or point in (0x85, 0x2028, 0x2029)


def number_at(address: word, digits: int) -> int:
    """The number of so many digits in memory."""
    result = word(0)
    for index in range(digits):
        digit = load8(address + word(index)) - word(48)
        if digit == word(64):
            digit = word(44)
        result = (result << word(6)) | digit
    return int(result)


def record_of(point: int) -> word:
    """Address of what is known of a character."""
    ranges = value_address(RANGES) + word(16)
    low, high = 0, len(RANGES) // 6
    while high - low > 1:
        middle = (low + high) // 2
        if number_at(ranges + word(middle * 6), 4) <= point:
            low = middle
        else:
            high = middle
    number = number_at(ranges + word(low * 6 + 4), 2)
    return value_address(RECORDS) + word(16 + number * RECORD)


def has(point: int, properties: int) -> bool:
    """Whether a character has one of these properties."""
    return number_at(record_of(point), 3) & properties != 0


def mapped_length(mapping: int) -> int:
    """How many characters a mapping gives."""
    return mapping & 3 if mapping >= EXTENDED else 1


def mapped_point(point: int, mapping: int, index: int) -> int:
    """One character of what a mapping gives."""
    if mapping < EXTENDED:
        return point + mapping - SIMPLE
    place = (mapping - EXTENDED) // 4 + index
    return number_at(value_address(MAPPED) + word(16 + place * 4), 4)


def mapping_of(point: int, way: int) -> int:
    """What a character becomes in one way, such as UPPERED; `mapped_point` reads it."""
    return number_at(record_of(point) + word(way), 4)
