"""The encodings by name."""

from __future__ import annotations

from meshext_wasm.library.builtins.text import point_at
from meshext_wasm.library.builtins.text_builder import TextBuilder

UTF8 = 0
ASCII = 1
LATIN = 2


def encoding_of(name: str) -> int:
    """UTF8, ASCII or LATIN."""
    if name == "utf-8":
        return UTF8
    plain = normal(name)
    if plain in ("utf-8", "utf8", "u8", "utf"):
        return UTF8
    if plain in ("ascii", "us-ascii", "646"):
        return ASCII
    if plain in ("latin-1", "latin1", "latin", "iso-8859-1", "iso8859-1", "8859", "cp819", "l1"):
        return LATIN
    raise LookupError(f"unknown encoding: {name}")


def normal(name: str) -> str:
    """In lower case, with `-` for `_` and spaces."""
    result = TextBuilder()
    for index in range(len(name)):
        point = point_at(name, index)
        if 65 <= point <= 90:
            point += 32
        result.add(45 if point in (95, 32) else point)
    return result.finish()


def shown_name(encoding: int) -> str:
    """The name in the texts of errors."""
    return "utf-8" if encoding == UTF8 else "ascii" if encoding == ASCII else "latin-1"


def unknown_handler(errors: str) -> LookupError:
    """There is no handler of this name."""
    return LookupError(f"unknown error handler name '{errors}'")
