"""Numbers written with digits and spaces of any script: as ASCII, which is what the parsers read."""

from __future__ import annotations

from meshext_wasm.library.builtins.ascii import is_space, new_ascii, value_of
from meshext_wasm.library.builtins.text import ASCII, character, text_kind, text_length
from meshext_wasm.library.raw import load8, store8, value_address, word

# Where the ten digits of a script begin, five hexadecimal digits each; Unicode 14, as in CPython 3.11.
ZEROS = (
    "0003000660006f0007c000966009e600a6600ae600b6600be600c6600ce600d6600de600e5000ed000f2001040"
    "01090017e00181001946019d001a8001a9001b5001bb001c4001c500a6200a8d00a9000a9d00a9f00aa500abf0"
    "0ff10104a010d3011066110f011136111d0112f011450114d011650116c011730118e01195011c5011d5011da0"
    "16a6016ac016b501d7ce1d7d81d7e21d7ec1d7f61e1401e2f01e9501fbf0"
)


def plain(text: str) -> word:
    """Address of the characters, as many as the str has: digits and spaces in ASCII, others that are not
    ASCII as question marks."""
    source = value_address(text)
    if text_kind(source) == word(ASCII):
        return source + 24
    length = text_length(source)
    result = new_ascii(length) + 24
    index = word(0)
    while index < length:
        store8(result + index, plain_character(character(source, index)))
        index = index + 1
    return result


def plain_character(point: word) -> word:
    """One character for `plain`."""
    if is_blank(point):
        return word(32)
    if point < 128:
        return point
    digit = decimal_value(point)
    return digit + 48 if digit < 10 else word(63)


def is_blank(point: word) -> bool:
    """What `str.isspace` is true for."""
    if point < 128:
        return is_space(point) or point - 28 < 4
    if point - 0x2000 < 11:
        return True
    if point == 0x85 or point == 0xA0 or point == 0x1680 or point == 0x3000:
        return True
    return point == 0x2028 or point == 0x2029 or point == 0x202F or point == 0x205F


def decimal_value(point: word) -> word:
    """The value of a decimal digit of any script; 99 for what is none."""
    table = value_address(ZEROS) + 24
    end = table + text_length(value_address(ZEROS))
    while table < end:
        zero = word(0)
        index = word(0)
        while index < 5:
            zero = (zero << 4) | value_of(load8(table + index))
            index = index + 1
        if point - zero < 10:
            return point - zero
        table = table + 5
    return word(99)
