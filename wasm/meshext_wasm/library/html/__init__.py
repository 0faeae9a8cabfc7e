"""html: text into a page and out of it (HTML 5, 13.5 Named character references)."""

from __future__ import annotations

from meshext_wasm.library.html.references import CHANGED, LEFT_OUT, NAMES

LONGEST = 32
END = "\t\n\f <&#;"
"""What no name of a character has in it."""
DECIMAL = "0123456789"
HEXADECIMAL = "0123456789abcdefABCDEF"


def escape(s: str, quote: bool = True) -> str:
    """The text with what HTML would read as markup replaced."""
    made = s.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return made.replace('"', "&quot;").replace("'", "&#x27;") if quote else made


def unescape(s: str) -> str:
    """The text with all references to characters, named and numeric, replaced by these."""
    pieces = s.split("&")
    made: list[str] = [pieces[0]]
    for piece in pieces[1:]:
        made.append(replaced(piece))
    return "".join(made)


def replaced(piece: str) -> str:
    """What stands behind an ampersand, up to the next one, with what it refers to."""
    if not piece.startswith("#"):
        return named(piece)
    hexadecimal = piece.startswith(("#x", "#X"))
    start = 2 if hexadecimal else 1
    end = end_of(piece, start, HEXADECIMAL if hexadecimal else DECIMAL)
    if end == start:
        return "&" + piece
    number = int(piece[start:end], 16 if hexadecimal else 10)
    rest = piece[end + 1 :] if piece.startswith(";", end) else piece[end:]
    return character(number) + rest


def end_of(text: str, start: int, allowed: str) -> int:
    """Where characters end that are allowed."""
    end = start
    while end < len(text) and text[end] in allowed:
        end += 1
    return end


def character(number: int) -> str:
    """The character of a number; what HTML allows no document becomes another one, or nothing."""
    if number in CHANGED:
        return CHANGED[number]
    if 0xD800 <= number <= 0xDFFF or number > 0x10FFFF:
        return "\ufffd"
    if number in LEFT_OUT or (0xFDD0 <= number <= 0xFDEF) or number & 0xFFFE == 0xFFFE:
        return ""
    return chr(number)


def named(piece: str) -> str:
    """The longest name that the text begins with; the ampersand back where there is none."""
    end = 0
    while end < len(piece) and end < LONGEST and piece[end] not in END:
        end += 1
    if end > 0 and piece.startswith(";", end):
        found = look_up(piece[:end], ";")
        if found is not None:
            return found + piece[end + 1 :]
    while end > 1:
        found = look_up(piece[:end], ",")
        if found is not None:
            return found + piece[end:]
        end -= 1
    return "&" + piece


def look_up(name: str, mark: str) -> str | None:
    """The characters of a name; `,` for those names that may stand without a semicolon."""
    at = NAMES.find(f" {name}{mark}")
    if at < 0 and mark == ";":
        return look_up(name, ",")
    if at < 0:
        return None
    start = at + len(name) + 2
    codes = NAMES[start : NAMES.find(" ", start)]
    return "".join([chr(int(each, 16)) for each in codes.split(".")])
