"""str: repr and ascii."""

from __future__ import annotations

from meshext_wasm.library.builtins.characters import PRINTABLE, has
from meshext_wasm.library.builtins.objects import repr_of
from meshext_wasm.library.builtins.text import point_at
from meshext_wasm.library.builtins.text_builder import TextBuilder
from meshext_wasm.library.builtins.text_search import find_text
from meshext_wasm.library.raw import alternative, method

QUOTE = 39
DOUBLE_QUOTE = 34
BACKSLASH = 92


@method(str, "__repr__")
def repr_of_text(text: str) -> str:
    """`repr(text)`."""
    length = len(text)
    double = find_text(text, "'", 0, length) >= 0 and find_text(text, '"', 0, length) < 0
    quote = DOUBLE_QUOTE if double else QUOTE
    result = TextBuilder()
    result.add(quote)
    for index in range(length):
        point = point_at(text, index)
        if point in (quote, BACKSLASH):
            result.add(BACKSLASH)
            result.add(point)
        elif 32 <= point < 127 or (point > 127 and has(point, PRINTABLE)):
            result.add(point)
        else:
            add_escaped(result, point)
    result.add(quote)
    return result.finish()


@alternative("ascii")
def ascii_repr(value: object, /) -> str:
    """`ascii(value)`."""
    text = repr_of(value)
    result = TextBuilder()
    for index in range(len(text)):
        point = point_at(text, index)
        if point < 128:
            result.add(point)
        else:
            add_escaped(result, point)
    return result.finish()


def add_escaped(result: TextBuilder, point: int) -> None:
    """Append what stands for a character that does not print."""
    result.add(BACKSLASH)
    if point == 9 or point == 10 or point == 13:
        result.add(116 if point == 9 else 110 if point == 10 else 114)
    elif point < 0x100:
        add_hex(result, 120, point, 2)
    elif point < 0x10000:
        add_hex(result, 117, point, 4)
    else:
        add_hex(result, 85, point, 8)


def add_hex(result: TextBuilder, letter: int, number: int, count: int) -> None:
    """Append a letter and a number in so many hexadecimal digits."""
    result.add(letter)
    for place in range(count - 1, -1, -1):
        digit = (number >> (4 * place)) & 15
        result.add(48 + digit if digit < 10 else 87 + digit)
