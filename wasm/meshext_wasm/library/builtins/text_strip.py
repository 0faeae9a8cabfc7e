"""str: what is cut off its ends."""

from __future__ import annotations

from meshext_wasm.library.builtins.characters import is_space
from meshext_wasm.library.builtins.text import character, piece
from meshext_wasm.library.raw import method, value_address, word


@method(str)
def strip(text: str, characters: str | None = None, /) -> str:
    """Without the characters, else spaces, at both ends."""
    start = first_kept(text, characters)
    return piece(text, start, last_kept(text, characters, start))


@method(str)
def lstrip(text: str, characters: str | None = None, /) -> str:
    """Without the characters, else spaces, at the beginning."""
    return piece(text, first_kept(text, characters), len(text))


@method(str)
def rstrip(text: str, characters: str | None = None, /) -> str:
    """Without the characters, else spaces, at the end."""
    return piece(text, 0, last_kept(text, characters, 0))


def is_cut(text: str, index: int, characters: str | None) -> bool:
    """Whether the character in a place is one that goes."""
    point = character(value_address(text), word(index))
    if characters is None:
        return is_space(int(point))
    source = value_address(characters)
    for place in range(len(characters)):
        if character(source, word(place)) == point:
            return True
    return False


def first_kept(text: str, characters: str | None) -> int:
    """The place of the first character that stays."""
    start, length = 0, len(text)
    while start < length and is_cut(text, start, characters):
        start += 1
    return start


def last_kept(text: str, characters: str | None, start: int) -> int:
    """The place behind the last character that stays."""
    stop = len(text)
    while stop > start and is_cut(text, stop - 1, characters):
        stop -= 1
    return stop
