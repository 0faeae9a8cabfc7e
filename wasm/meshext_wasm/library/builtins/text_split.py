"""str: cutting it into parts."""

from __future__ import annotations

from meshext_wasm.library.builtins.characters import is_line_end, is_space
from meshext_wasm.library.builtins.indices import size_of
from meshext_wasm.library.builtins.text import piece, point_at
from meshext_wasm.library.builtins.text_search import find_text, find_text_last
from meshext_wasm.library.raw import method


@method(str)
def split(text: str, /, sep: str | None = None, maxsplit: int = -1) -> list[str]:
    """The parts between separators; between spaces, without empty parts, when there is none."""
    parts: list[str] = []
    left = maxsplit if size_of(maxsplit) >= 0 else len(text) + 1
    if sep is None:
        split_at_spaces(text, left, parts)
        return parts
    check_separator(sep)
    start, length = 0, len(text)
    at = find_text(text, sep, 0, length) if left > 0 else -1
    while at >= 0:
        parts.append(piece(text, start, at))
        start = at + len(sep)
        left -= 1
        at = find_text(text, sep, start, length) if left > 0 else -1
    parts.append(piece(text, start, length))
    return parts


def check_separator(separator: str) -> None:
    """Refuse the empty one."""
    if len(separator) == 0:
        raise ValueError("empty separator")


def split_at_spaces(text: str, left: int, parts: list[str]) -> None:
    """Collect the parts between spaces, from the left."""
    index, length = 0, len(text)
    while True:
        while index < length and is_space(point_at(text, index)):
            index += 1
        if index == length:
            return
        if left == 0:
            parts.append(piece(text, index, length))
            return
        start = index
        while index < length and not is_space(point_at(text, index)):
            index += 1
        parts.append(piece(text, start, index))
        left -= 1


@method(str)
def rsplit(text: str, /, sep: str | None = None, maxsplit: int = -1) -> list[str]:
    """As `split`, but the last separators count first."""
    parts: list[str] = []
    left = maxsplit if size_of(maxsplit) >= 0 else len(text) + 1
    if sep is None:
        split_at_last_spaces(text, left, parts)
        parts.reverse()
        return parts
    check_separator(sep)
    stop = len(text)
    at = find_text_last(text, sep, 0, stop) if left > 0 else -1
    while at >= 0:
        parts.append(piece(text, at + len(sep), stop))
        stop = at
        left -= 1
        at = find_text_last(text, sep, 0, stop) if left > 0 else -1
    parts.append(piece(text, 0, stop))
    parts.reverse()
    return parts


def split_at_last_spaces(text: str, left: int, parts: list[str]) -> None:
    """Collect the parts between spaces, from the right."""
    index = len(text)
    while True:
        while index > 0 and is_space(point_at(text, index - 1)):
            index -= 1
        if index == 0:
            return
        if left == 0:
            parts.append(piece(text, 0, index))
            return
        stop = index
        while index > 0 and not is_space(point_at(text, index - 1)):
            index -= 1
        parts.append(piece(text, index, stop))
        left -= 1


@method(str)
def splitlines(text: str, /, keepends: bool = False) -> list[str]:
    """The lines; with their ends when they are to be kept."""
    parts: list[str] = []
    index, length = 0, len(text)
    while index < length:
        start = index
        while index < length and not is_line_end(point_at(text, index)):
            index += 1
        stop = index
        if index < length:
            pair = point_at(text, index) == 13 and index + 1 < length and point_at(text, index + 1) == 10
            index += 2 if pair else 1
        parts.append(piece(text, start, index if keepends else stop))
    return parts


@method(str)
def partition(text: str, sep: str, /) -> tuple[str, str, str]:
    """What stands before the first separator, it, and the rest."""
    check_separator(sep)
    at = find_text(text, sep, 0, len(text))
    if at < 0:
        return (text, "", "")
    return (piece(text, 0, at), sep, piece(text, at + len(sep), len(text)))


@method(str)
def rpartition(text: str, sep: str, /) -> tuple[str, str, str]:
    """What stands before the last separator, it, and the rest."""
    check_separator(sep)
    at = find_text_last(text, sep, 0, len(text))
    if at < 0:
        return ("", "", text)
    return (piece(text, 0, at), sep, piece(text, at + len(sep), len(text)))
