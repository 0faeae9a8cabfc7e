"""str: width, tabs, translation."""

from __future__ import annotations

from collections.abc import Mapping

from meshext_wasm.library.builtins.indices import short_of, size_of
from meshext_wasm.library.builtins.text import concat, piece, point_at, repeated
from meshext_wasm.library.builtins.text_builder import TextBuilder
from meshext_wasm.library.raw import method, static_method


def padded(text: str, left: int, right: int, fill: str) -> str:
    """With so many fill characters on both sides."""
    if len(fill) != 1:
        raise TypeError("The fill character must be exactly one character long")
    if left <= 0 and right <= 0:
        return text
    return concat(concat(repeated(fill, left), text), repeated(fill, right))


@method(str)
def ljust(text: str, width: int, fillchar: str = " ", /) -> str:
    """At the left of a width."""
    return padded(text, 0, size_of(width) - len(text), fillchar)


@method(str)
def rjust(text: str, width: int, fillchar: str = " ", /) -> str:
    """At the right of a width."""
    return padded(text, size_of(width) - len(text), 0, fillchar)


@method(str)
def center(text: str, width: int, fillchar: str = " ", /) -> str:
    """In the middle of a width."""
    space = size_of(width) - len(text)
    left = space // 2 + (space & width & 1) if space > 0 else 0
    return padded(text, left, space - left, fillchar)


@method(str)
def zfill(text: str, width: int, /) -> str:
    """With zeros before it, behind its sign."""
    space = size_of(width) - len(text)
    if space <= 0:
        return text
    signed = len(text) > 0 and point_at(text, 0) in (43, 45)
    sign = 1 if signed else 0
    return concat(concat(piece(text, 0, sign), repeated("0", space)), piece(text, sign, len(text)))


@method(str)
def expandtabs(text: str, /, tabsize: int = 8) -> str:
    """With spaces in place of tabs."""
    result, column, size = TextBuilder(), 0, short_of(tabsize)
    for index in range(len(text)):
        point = point_at(text, index)
        if point == 9:
            if size > 0:
                gap = size - column % size
                result.add_text(repeated(" ", gap))
                column += gap
            continue
        result.add(point)
        column = 0 if point in (10, 13) else column + 1
    return result.finish()


@method(str)
def translate(text: str, table: dict[int, int | str | None], /) -> str:
    """With each character replaced by what a table has for its code point; None takes it out."""
    result = TextBuilder()
    for index in range(len(text)):
        point = point_at(text, index)
        if point not in table:
            result.add(point)
            continue
        new = table[point]
        if isinstance(new, int):
            if new < 0 or new > 0x10FFFF:
                raise ValueError("character mapping must be in range(0x110000)")
            result.add(new)
        elif isinstance(new, str):
            result.add_text(new)
    return result.finish()


@static_method(str, "maketrans")
def maketrans_of_texts(old: str, new: str, gone: str = "", /) -> dict[int, int | str | None]:
    """A table for `translate`: each character of one text becomes that of the other; those of a third go."""
    if len(old) != len(new):
        raise ValueError("the first two maketrans arguments must have equal length")
    table: dict[int, int | str | None] = {}
    for index in range(len(old)):
        table[point_at(old, index)] = point_at(new, index)
    for index in range(len(gone)):
        table[point_at(gone, index)] = None
    return table


@static_method(str, "maketrans")
def maketrans_of_names(names: Mapping[str, int | str | None], /) -> dict[int, int | str | None]:
    """A table for `translate` from one by characters."""
    table: dict[int, int | str | None] = {}
    for name, new in names.items():
        if len(name) != 1:
            raise ValueError("string keys in translate table must be of length 1")
        table[point_at(name, 0)] = new
    return table


@static_method(str, "maketrans")
def maketrans_of_points(points: dict[int, int | str | None], /) -> dict[int, int | str | None]:
    """A table for `translate` from one by code points."""
    return points.copy()
