"""str: finding, counting and replacing parts."""

from __future__ import annotations

from meshext_wasm.library.builtins.indices import bound, first_bound, size_of
from meshext_wasm.library.builtins.text import (
    ASCII,
    LATIN,
    UCS4,
    character,
    piece,
    place_in,
    text_kind,
    text_length,
)
from meshext_wasm.library.builtins.text_builder import TextBuilder
from meshext_wasm.library.raw import budget_charge, load8, memory_equal, method, value_address, word


def can_hold(text: word, part: word) -> bool:
    """Whether the kind of one str lets another be in it."""
    kind, inner = text_kind(text), text_kind(part)
    return kind == word(UCS4) or inner == word(ASCII) or (kind == word(LATIN) and inner == word(LATIN))


def stands_at(text: word, index: word, part: word) -> bool:
    """Whether a part stands in a text at an index where it has room; `can_hold` is known."""
    count = text_length(part)
    wide = text_kind(text) == word(UCS4)
    if wide == (text_kind(part) == word(UCS4)):
        size = count * word(4) if wide else count
        return memory_equal(place_in(text, index), part + word(24), size)
    done = word(0)
    while done < count:
        if character(text, index + done) != character(part, done):
            return False
        done = done + word(1)
    return True


def find_text(text: str, part: str, start: int, stop: int) -> int:
    """Where a part first stands between two places of a text, or -1."""
    source, inner = value_address(text), value_address(part)
    size = int(text_length(inner))
    if stop - start < size or not can_hold(source, inner):
        return -1
    if size == 0:
        return start
    index, last = word(start), word(stop - size)
    first = character(inner, word(0))
    while index <= last:
        index = skip_to(source, index, last, first)
        if index > last:
            return -1
        if size == 1:
            return int(index)
        budget_charge(word(size) >> word(4))
        if stands_at(source, index, inner):
            return int(index)
        index = index + word(1)
    return -1


def skip_to(text: word, index: word, last: word, point: word) -> word:
    """The next place of a character up to `last`, or a place behind that."""
    if text_kind(text) != word(UCS4):
        place, end = text + word(24) + index, text + word(24) + last
        while place <= end and load8(place) != point:
            place = place + word(1)
        return place - text - word(24)
    while index <= last and character(text, index) != point:
        index = index + word(1)
    return index


def find_text_last(text: str, part: str, start: int, stop: int) -> int:
    """Where a part last stands between two places of a text, or -1."""
    source, inner = value_address(text), value_address(part)
    size = int(text_length(inner))
    if stop - start < size or not can_hold(source, inner):
        return -1
    if size == 0:
        return stop
    first = character(inner, word(0))
    for index in range(stop - size, start - 1, -1):
        if character(source, word(index)) == first:
            budget_charge(word(size) >> word(4))
            if stands_at(source, word(index), inner):
                return index
    return -1


def count_text(text: str, part: str, start: int, stop: int) -> int:
    """How often a part stands between two places, without overlaps."""
    if part == "":
        return stop - start + 1 if stop >= start else 0
    found, index = 0, find_text(text, part, start, stop)
    while index >= 0:
        found += 1
        index = find_text(text, part, index + len(part), stop)
    return found


@method(str)
def find(text: str, part: str, start: int | None = None, stop: int | None = None, /) -> int:
    """Where a part first stands, or -1."""
    length = len(text)
    return find_text(text, part, first_bound(start, length), bound(stop, length, length))


@method(str)
def rfind(text: str, part: str, start: int | None = None, stop: int | None = None, /) -> int:
    """Where a part last stands, or -1."""
    length = len(text)
    return find_text_last(text, part, first_bound(start, length), bound(stop, length, length))


@method(str)
def index(text: str, part: str, start: int | None = None, stop: int | None = None, /) -> int:
    """Where a part first stands."""
    found = find(text, part, start, stop)
    if found < 0:
        raise ValueError("substring not found")
    return found


@method(str)
def rindex(text: str, part: str, start: int | None = None, stop: int | None = None, /) -> int:
    """Where a part last stands."""
    found = rfind(text, part, start, stop)
    if found < 0:
        raise ValueError("substring not found")
    return found


@method(str)
def count(text: str, part: str, start: int | None = None, stop: int | None = None, /) -> int:
    """How often a part stands in the text, without overlaps."""
    length = len(text)
    return count_text(text, part, first_bound(start, length), bound(stop, length, length))


@method(str)
def startswith(
    text: str, prefix: str | tuple[str, ...], start: int | None = None, stop: int | None = None, /
) -> bool:
    """Whether the text, or the part of it between two places, begins with one of the prefixes."""
    length = len(text)
    first, last = first_bound(start, length), bound(stop, length, length)
    if isinstance(prefix, str):
        return begins(text, prefix, first, last)
    for each in prefix:
        if begins(text, each, first, last):
            return True
    return False


@method(str)
def endswith(
    text: str, suffix: str | tuple[str, ...], start: int | None = None, stop: int | None = None, /
) -> bool:
    """Whether the text, or the part of it between two places, ends with one of the suffixes."""
    length = len(text)
    first, last = first_bound(start, length), bound(stop, length, length)
    if isinstance(suffix, str):
        return ends(text, suffix, first, last)
    for each in suffix:
        if ends(text, each, first, last):
            return True
    return False


def begins(text: str, prefix: str, start: int, stop: int) -> bool:
    """Whether a prefix stands at `start` and ends before `stop`."""
    source, part = value_address(text), value_address(prefix)
    return stop - start >= len(prefix) and can_hold(source, part) and stands_at(source, word(start), part)


def ends(text: str, suffix: str, start: int, stop: int) -> bool:
    """Whether a suffix ends at `stop` and begins after `start`."""
    return stop - start >= len(suffix) and begins(text, suffix, stop - len(suffix), stop)


@method(str)
def removeprefix(text: str, prefix: str, /) -> str:
    """The text without the prefix, if it has it."""
    return piece(text, len(prefix), len(text)) if begins(text, prefix, 0, len(text)) else text


@method(str)
def removesuffix(text: str, suffix: str, /) -> str:
    """The text without the suffix, if it has it."""
    if suffix != "" and ends(text, suffix, 0, len(text)):
        return piece(text, 0, len(text) - len(suffix))
    return text


@method(str)
def replace(text: str, old: str, new: str, count: int = -1, /) -> str:
    """The text with another part in place of the first so many; all when negative."""
    length, left = len(text), count if size_of(count) >= 0 else len(text) + 1
    if old == "":
        return spread(text, new, left)
    at = find_text(text, old, 0, length) if left > 0 else -1
    if at < 0:
        return text
    result = TextBuilder()
    done = 0
    while at >= 0 and left > 0:
        result.add_part(text, done, at)
        result.add_text(new)
        done, left = at + len(old), left - 1
        at = find_text(text, old, done, length)
    result.add_part(text, done, length)
    return result.finish()


def spread(text: str, new: str, count: int) -> str:
    """The text with a part before each of its first characters, and at its end."""
    result = TextBuilder()
    length = len(text)
    for index in range(length if length < count else count):
        result.add_text(new)
        result.add_part(text, index, index + 1)
    if count > length:
        result.add_text(new)
    else:
        result.add_part(text, count, length)
    return result.finish()
