"""The strings of JSON: reading them with their escapes, writing them with theirs."""

from __future__ import annotations

from meshext_wasm.library.builtins.text import one_character, piece, point_at


class Found:
    """What was read: the text and where it ends, or the reason why not and its place."""

    text: str
    end: int
    failure: str

    def __init__(self, text: str, end: int, failure: str) -> None:
        self.text = text
        self.end = end
        self.failure = failure


def read_string(text: str, start: int) -> Found:
    """The string whose first character stands at `start`."""
    parts: list[str] = []
    at = start
    length = len(text)
    while True:
        end = end_of_chunk(text, at, length)
        if end == length:
            return Found("", start - 1, "Unterminated string starting at")
        if end > at:
            parts.append(piece(text, at, end))
        found = point_at(text, end)
        if found == 34:
            return Found(parts[0] if len(parts) == 1 else "".join(parts), end + 1, "")
        if found != 92:
            return Found("", end, "Invalid control character at")
        if end + 1 == length:
            return Found("", start - 1, "Unterminated string starting at")
        escaped = read_escape(text, end + 1, length)
        if escaped.failure != "":
            return escaped
        parts.append(escaped.text)
        at = escaped.end


def end_of_chunk(text: str, at: int, length: int) -> int:
    """Where the characters that stand for themselves end."""
    while at < length:
        found = point_at(text, at)
        if found == 34 or found == 92 or found < 32:
            break
        at += 1
    return at


def read_escape(text: str, at: int, length: int) -> Found:
    """What stands behind a backslash."""
    found = point_at(text, at)
    if found != 117:
        plain = '"\\/\b\f\n\r\t'
        place = '"\\/bfnrt'.find(one_character(found))
        if place < 0:
            return Found("", at - 1, "Invalid \\escape")
        return Found(plain[place], at + 1, "")
    if at + 5 >= length:
        return Found("", at, "Invalid \\uXXXX escape")
    point = hex_number(text, at + 1)
    if point < 0:
        return Found("", at, "Invalid \\uXXXX escape")
    end = at + 5
    if 0xD800 <= point <= 0xDBFF and end + 6 < length and piece(text, end, end + 2) == "\\u":
        second = hex_number(text, end + 2)
        if second < 0:
            return Found("", end + 1, "Invalid \\uXXXX escape")
        if 0xDC00 <= second <= 0xDFFF:
            point = 0x10000 + ((point - 0xD800) << 10) + second - 0xDC00
            end += 6
    return Found(one_character(point), end, "")


def hex_number(text: str, at: int) -> int:
    """Four hexadecimal digits; -1 where there are others."""
    result = 0
    for index in range(at, at + 4):
        found = point_at(text, index)
        if 48 <= found <= 57:
            digit = found - 48
        elif 97 <= found | 32 <= 102:
            digit = (found | 32) - 87
        else:
            return -1
        result = result * 16 + digit
    return result


def write_string(text: str, only_ascii: bool) -> str:
    """A string in quotes."""
    length = len(text)
    parts = ['"']
    start = 0
    for index in range(length):
        found = point_at(text, index)
        if found == 34 or found == 92 or found < 32 or (only_ascii and found > 126):
            parts.append(piece(text, start, index))
            parts.append(escape_of(found))
            start = index + 1
    parts.append(piece(text, start, length))
    parts.append('"')
    return "".join(parts)


def escape_of(point: int) -> str:
    """How a character is written behind a backslash."""
    place = '"\\\b\f\n\r\t'.find(one_character(point))
    if place >= 0:
        return "\\" + '"\\bfnrt'[place]
    if point < 0x10000:
        return unicode_escape(point)
    point -= 0x10000
    return unicode_escape(0xD800 + (point >> 10)) + unicode_escape(0xDC00 + (point & 1023))


def unicode_escape(point: int) -> str:
    """`\\uxxxx`."""
    return f"\\u{point:04x}"
