"""str: upper, lower and what is between them."""

from __future__ import annotations

from meshext_wasm.library.builtins.characters import (
    CASED,
    FOLDED,
    IGNORABLE,
    LOWER,
    LOWERED,
    TITLED,
    UPPER,
    UPPERED,
    has,
    mapped_length,
    mapped_point,
    mapping_of,
)
from meshext_wasm.library.builtins.text import ASCII, new_text, point_at, text_kind, text_length
from meshext_wasm.library.builtins.text_builder import TextBuilder
from meshext_wasm.library.raw import (
    budget_charge,
    load8,
    load64,
    method,
    nothrow,
    store8,
    value_address,
    value_at,
    wide,
    word,
)

SIGMA = 0x3A3
FINAL_SIGMA = 0x3C2
SMALL_SIGMA = 0x3C3
EACH = 0x0101010101010101
HIGHEST = 0x8080808080808080


@method(str)
def upper(text: str, /) -> str:
    """With every character in upper case."""
    if text_kind(value_address(text)) == word(ASCII):
        return changed_ascii(text, word(97))
    result = TextBuilder()
    for index in range(len(text)):
        add_mapped(result, point_at(text, index), UPPERED)
    return result.finish()


@method(str)
def lower(text: str, /) -> str:
    """With every character in lower case."""
    if text_kind(value_address(text)) == word(ASCII):
        return changed_ascii(text, word(65))
    result = TextBuilder()
    for index in range(len(text)):
        add_lowered(result, text, index)
    return result.finish()


@method(str)
def casefold(text: str, /) -> str:
    """For comparing without case."""
    if text_kind(value_address(text)) == word(ASCII):
        return changed_ascii(text, word(65))
    result = TextBuilder()
    for index in range(len(text)):
        add_mapped(result, point_at(text, index), FOLDED)
    return result.finish()


@method(str)
def swapcase(text: str, /) -> str:
    """With upper and lower case exchanged."""
    result = TextBuilder()
    for index in range(len(text)):
        point = point_at(text, index)
        if has(point, UPPER):
            add_lowered(result, text, index)
        elif has(point, LOWER):
            add_mapped(result, point, UPPERED)
        else:
            result.add(point)
    return result.finish()


@method(str)
def capitalize(text: str, /) -> str:
    """With the first character in title case and the others in lower case."""
    result = TextBuilder()
    for index in range(len(text)):
        if index == 0:
            add_mapped(result, point_at(text, index), TITLED)
        else:
            add_lowered(result, text, index)
    return result.finish()


@method(str)
def title(text: str, /) -> str:
    """With the first letter of each word in title case and the others in lower case."""
    result, inside = TextBuilder(), False
    for index in range(len(text)):
        point = point_at(text, index)
        if inside:
            add_lowered(result, text, index)
        else:
            add_mapped(result, point, TITLED)
        inside = has(point, CASED)
    return result.finish()


def changed_ascii(text: str, first: word) -> str:
    """With the other case for the 26 letters from `first`; the text itself where there is none."""
    source = value_address(text)
    length = text_length(source)
    budget_charge(length >> word(4))
    index = unchanged_ascii(source + word(24), length, first)
    if index == length:
        return text
    address = new_text(length, word(ASCII))
    index = word(0)
    while index < length:
        point = load8(source + word(24) + index)
        if point - first < word(26):
            point = point ^ word(32)
        store8(address + word(24) + index, point)
        index = index + word(1)
    return value_at(address)


@nothrow
def unchanged_ascii(start: word, length: word, first: word) -> word:
    """How many characters come before the first of the 26 letters from `first`: eight are looked at in one,
    where a sum has its highest bit set for those that are not below a bound."""
    index = word(0)
    below = wide(word(128) - first) * wide(EACH)
    above = wide(word(102) - first) * wide(EACH)
    while index + word(8) <= length:
        eight = load64(start + index)
        if ((eight + below) ^ (eight + above)) & wide(HIGHEST) != wide(0):
            break
        index = index + word(8)
    while index < length and load8(start + index) - first >= word(26):
        index = index + word(1)
    return index


def add_mapped(result: TextBuilder, point: int, way: int) -> None:
    """Append what a character becomes."""
    mapping = mapping_of(point, way)
    for index in range(mapped_length(mapping)):
        result.add(mapped_point(point, mapping, index))


def add_lowered(result: TextBuilder, text: str, index: int) -> None:
    """Append a character of a text in lower case; a sigma at the end of a word is another one."""
    point = point_at(text, index)
    if point == SIGMA:
        result.add(FINAL_SIGMA if is_final(text, index) else SMALL_SIGMA)
    else:
        add_mapped(result, point, LOWERED)


def is_final(text: str, index: int) -> bool:
    """Whether a place is the end of a word: letters before it, none behind, but for what does not count."""
    place = index - 1
    while place >= 0 and has(point_at(text, place), IGNORABLE):
        place -= 1
    if place < 0 or not has(point_at(text, place), CASED):
        return False
    place = index + 1
    while place < len(text) and has(point_at(text, place), IGNORABLE):
        place += 1
    return place == len(text) or not has(point_at(text, place), CASED)
