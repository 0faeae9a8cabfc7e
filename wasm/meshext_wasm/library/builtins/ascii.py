"""Making strs of ASCII characters, one by one."""

from __future__ import annotations

from meshext_wasm.library.builtins.text import ASCII, new_text
from meshext_wasm.library.raw import (
    load8,
    load32,
    memory_copy,
    store8,
    store32,
    value_address,
    value_at,
    word,
)


def new_ascii(length: word) -> word:
    """Address of a new str of so many ASCII characters, which are still to be written at +24."""
    return new_text(length, word(ASCII))


def cut(text: word, start: word, end: word) -> str:
    """The str of a stretch of what was written, by addresses; the rest of the new str is dropped."""
    length = end - start
    memory_copy(text + 24, start, length)
    store32(text + 4, length + 16)
    store32(text + 8, length)
    return value_at(text)


def ascii_of(start: word, length: word) -> str:
    """A str of characters that stand in memory."""
    text = new_ascii(length)
    memory_copy(text + 24, start, length)
    return value_at(text)


def digit_of(value: word) -> word:
    """The character of a digit of any base, in lower case."""
    return value + 48 if value < 10 else value + 87


def value_of(character: word) -> word:
    """What a character counts as a digit; 99 when it is none."""
    if character - 48 < 10:
        return character - 48
    lower = character | 32
    return lower - 87 if lower - 97 < 26 else word(99)


def put_text(at: word, text: str) -> word:
    """Write an ASCII str to an address; the address behind it."""
    address = value_address(text)
    length = load32(address + 8)
    memory_copy(at, address + 24, length)
    return at + length


def put_character(at: word, character: word) -> word:
    """Write one character to an address; the address behind it."""
    store8(at, character)
    return at + 1


def is_space(character: word) -> bool:
    """Whether an ASCII character is white space to C."""
    return character == 32 or character - 9 < 5


def skip_spaces(start: word, end: word) -> word:
    """The first address that holds no space."""
    while start < end and is_space(load8(start)):
        start = start + 1
    return start


def drop_spaces(start: word, end: word) -> word:
    """The end without the spaces before it."""
    while end > start and is_space(load8(end - 1)):
        end = end - 1
    return end
