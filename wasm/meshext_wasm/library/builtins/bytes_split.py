"""bytes: cutting it into parts, and what is cut off its ends."""

from __future__ import annotations

from meshext_wasm.library.builtins.bytes_layout import byte_at, bytes_piece, length_of
from meshext_wasm.library.builtins.bytes_search import span, span_last
from meshext_wasm.library.builtins.indices import size_of
from meshext_wasm.library.raw import method


def is_blank(byte: int) -> bool:
    """Whether a byte is an ASCII space."""
    return byte == 32 or 9 <= byte <= 13


@method(bytes)
def split(data: bytes, /, sep: bytes | None = None, maxsplit: int = -1) -> list[bytes]:
    """The parts between separators; between spaces, without empty parts, when there is none."""
    parts: list[bytes] = []
    length = length_of(data)
    left = maxsplit if size_of(maxsplit) >= 0 else length + 1
    if sep is None:
        split_blanks(data, left, parts)
        return parts
    check_separator(sep)
    start = 0
    at = span(data, 0, length, sep) if left > 0 else -1
    while at >= 0:
        parts.append(bytes_piece(data, start, at))
        start = at + length_of(sep)
        left -= 1
        at = span(data, start, length, sep) if left > 0 else -1
    parts.append(bytes_piece(data, start, length))
    return parts


def check_separator(separator: bytes) -> None:
    """Refuse the empty one."""
    if length_of(separator) == 0:
        raise ValueError("empty separator")


def split_blanks(data: bytes, left: int, parts: list[bytes]) -> None:
    """Collect the parts between spaces, from the left."""
    index, length = 0, length_of(data)
    while True:
        while index < length and is_blank(byte_at(data, index)):
            index += 1
        if index == length:
            return
        if left == 0:
            parts.append(bytes_piece(data, index, length))
            return
        start = index
        while index < length and not is_blank(byte_at(data, index)):
            index += 1
        parts.append(bytes_piece(data, start, index))
        left -= 1


@method(bytes)
def rsplit(data: bytes, /, sep: bytes | None = None, maxsplit: int = -1) -> list[bytes]:
    """As `split`, but the last separators count first."""
    parts: list[bytes] = []
    stop = length_of(data)
    left = maxsplit if size_of(maxsplit) >= 0 else stop + 1
    if sep is None:
        split_last_blanks(data, left, parts)
        parts.reverse()
        return parts
    check_separator(sep)
    at = span_last(data, 0, stop, sep) if left > 0 else -1
    while at >= 0:
        parts.append(bytes_piece(data, at + length_of(sep), stop))
        stop = at
        left -= 1
        at = span_last(data, 0, stop, sep) if left > 0 else -1
    parts.append(bytes_piece(data, 0, stop))
    parts.reverse()
    return parts


def split_last_blanks(data: bytes, left: int, parts: list[bytes]) -> None:
    """Collect the parts between spaces, from the right."""
    index = length_of(data)
    while True:
        while index > 0 and is_blank(byte_at(data, index - 1)):
            index -= 1
        if index == 0:
            return
        if left == 0:
            parts.append(bytes_piece(data, 0, index))
            return
        stop = index
        while index > 0 and not is_blank(byte_at(data, index - 1)):
            index -= 1
        parts.append(bytes_piece(data, index, stop))
        left -= 1


@method(bytes)
def splitlines(data: bytes, /, keepends: bool = False) -> list[bytes]:
    """The lines; with their ends when they are to be kept."""
    parts: list[bytes] = []
    index, length = 0, length_of(data)
    while index < length:
        start = index
        while index < length and byte_at(data, index) not in (10, 13):
            index += 1
        stop = index
        if index < length:
            pair = byte_at(data, index) == 13 and index + 1 < length and byte_at(data, index + 1) == 10
            index += 2 if pair else 1
        parts.append(bytes_piece(data, start, index if keepends else stop))
    return parts


@method(bytes)
def partition(data: bytes, sep: bytes, /) -> tuple[bytes, bytes, bytes]:
    """What stands before the first separator, it, and the rest."""
    check_separator(sep)
    length = length_of(data)
    at = span(data, 0, length, sep)
    if at < 0:
        return (data, b"", b"")
    return (bytes_piece(data, 0, at), sep, bytes_piece(data, at + length_of(sep), length))


@method(bytes)
def rpartition(data: bytes, sep: bytes, /) -> tuple[bytes, bytes, bytes]:
    """What stands before the last separator, it, and the rest."""
    check_separator(sep)
    length = length_of(data)
    at = span_last(data, 0, length, sep)
    if at < 0:
        return (b"", b"", data)
    return (bytes_piece(data, 0, at), sep, bytes_piece(data, at + length_of(sep), length))


@method(bytes)
def strip(data: bytes, characters: bytes | None = None, /) -> bytes:
    """Without these bytes, else spaces, at both ends."""
    start = first_kept(data, characters)
    return bytes_piece(data, start, last_kept(data, characters, start))


@method(bytes)
def lstrip(data: bytes, characters: bytes | None = None, /) -> bytes:
    """Without these bytes, else spaces, at the beginning."""
    return bytes_piece(data, first_kept(data, characters), length_of(data))


@method(bytes)
def rstrip(data: bytes, characters: bytes | None = None, /) -> bytes:
    """Without these bytes, else spaces, at the end."""
    return bytes_piece(data, 0, last_kept(data, characters, 0))


def is_cut(byte: int, characters: bytes | None) -> bool:
    """Whether a byte is one that goes."""
    if characters is None:
        return is_blank(byte)
    for index in range(length_of(characters)):
        if byte_at(characters, index) == byte:
            return True
    return False


def first_kept(data: bytes, characters: bytes | None) -> int:
    """The place of the first byte that stays."""
    start, length = 0, length_of(data)
    while start < length and is_cut(byte_at(data, start), characters):
        start += 1
    return start


def last_kept(data: bytes, characters: bytes | None, start: int) -> int:
    """The place behind the last byte that stays."""
    stop = length_of(data)
    while stop > start and is_cut(byte_at(data, stop - 1), characters):
        stop -= 1
    return stop
