"""Percent-encoding."""

from __future__ import annotations

PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~")
DIGITS = "0123456789ABCDEF"


def quote_from_bytes(bs: bytes, safe: str | bytes = "/") -> str:
    """Bytes with all but plain characters, and those that are `safe`, as %XX."""
    kept = frozenset(safe_bytes(safe))
    made: list[str] = []
    for byte in bs:
        if byte in PLAIN or byte in kept:
            made.append(chr(byte))
        else:
            made.append("%" + DIGITS[byte >> 4] + DIGITS[byte & 15])
    return "".join(made)


def safe_bytes(safe: str | bytes) -> bytes:
    """What stays as it is; only ASCII can."""
    data = safe.encode("ascii", "ignore") if isinstance(safe, str) else safe
    return bytes([each for each in data if each < 128])


def quote(
    string: str | bytes, safe: str | bytes = "/", encoding: str | None = None, errors: str | None = None
) -> str:
    """A text for a path of a URL."""
    if isinstance(string, str):
        if string == "":
            return string
        return quote_from_bytes(string.encode(encoding or "utf-8", errors or "strict"), safe)
    if encoding is not None:
        raise TypeError("quote() doesn't support 'encoding' for bytes")
    if errors is not None:
        raise TypeError("quote() doesn't support 'errors' for bytes")
    return quote_from_bytes(string, safe)


def quote_plus(
    string: str | bytes, safe: str | bytes = "", encoding: str | None = None, errors: str | None = None
) -> str:
    """A text for a query: blanks become `+`."""
    if isinstance(string, str):
        if " " not in string:
            return quote(string, safe, encoding, errors)
    elif b" " not in string:
        return quote(string, safe, encoding, errors)
    kept: str | bytes = safe + " " if isinstance(safe, str) else safe + b" "
    return quote(string, kept, encoding, errors).replace(" ", "+")


def unquote_to_bytes(string: str | bytes) -> bytes:
    """The bytes that %XX stand for; what is no such escape stays."""
    data = string.encode("utf-8") if isinstance(string, str) else string
    pieces = data.split(b"%")
    made: list[bytes] = [pieces[0]]
    for piece in pieces[1:]:
        high = digit_value(piece, 0)
        low = digit_value(piece, 1)
        if high < 0 or low < 0:
            made.append(b"%")
            made.append(piece)
        else:
            made.append(bytes([16 * high + low]))
            made.append(piece[2:])
    return b"".join(made)


def digit_value(data: bytes, at: int) -> int:
    """The number of a hexadecimal digit, -1 where there is none."""
    if at >= len(data):
        return -1
    byte = data[at]
    if 48 <= byte <= 57:
        return byte - 48
    if 65 <= byte <= 70:
        return byte - 55
    if 97 <= byte <= 102:
        return byte - 87
    return -1


def unquote(string: str | bytes, encoding: str | None = "utf-8", errors: str | None = "replace") -> str:
    """The text behind %XX escapes; each run of ASCII is decoded by itself."""
    code = encoding or "utf-8"
    failing = errors or "replace"
    if isinstance(string, bytes):
        return unquote_to_bytes(string).decode(code, failing)
    if "%" not in string:
        return string
    made: list[str] = []
    start = 0
    while start < len(string):
        end = start
        ascii_run = string[start].isascii()
        while end < len(string) and string[end].isascii() == ascii_run:
            end += 1
        part = string[start:end]
        made.append(unquote_to_bytes(part).decode(code, failing) if ascii_run else part)
        start = end
    return "".join(made)


def unquote_plus(string: str, encoding: str | None = "utf-8", errors: str | None = "replace") -> str:
    """The text of a query: `+` is a blank."""
    return unquote(string.replace("+", " "), encoding, errors)
