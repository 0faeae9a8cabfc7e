"""What stands behind a backslash, outside of a set and in one."""

from __future__ import annotations

from meshext_wasm.library.re import operations
from meshext_wasm.library.re.nodes import ASCII, Node, assertion_node, category_node, char_node
from meshext_wasm.library.re.scanner import Scanner

LETTERS = "abfnrtv\\"
MEANT = "\a\b\f\n\r\t\v\\"


def parse_escape(scanner: Scanner, flags: int) -> Node:
    """The backslash is at hand."""
    start = scanner.at
    scanner.at += 1
    letter = scanner.take()
    if letter == "":
        scanner.fail("bad escape (end of pattern)", start)
    if letter in "dDsSwW":
        return category_node(letter, flags)
    if letter in "AZbB":
        return assertion_node(place_of(scanner, letter, flags), flags)
    if "1" <= letter <= "9":
        return octal_or_reference(scanner, start, flags)
    return char_node(character(scanner, letter, start), flags)


def place_of(scanner: Scanner, letter: str, flags: int) -> int:
    """The operation of `\\A`, `\\Z`, `\\b` and `\\B`."""
    if letter == "A":
        return operations.START
    if letter == "Z":
        return operations.END
    narrow = flags & ASCII != 0 or scanner.is_bytes()
    if letter == "b":
        return operations.BORDER_ASCII if narrow else operations.BORDER
    return operations.NO_BORDER_ASCII if narrow else operations.NO_BORDER


def octal_or_reference(scanner: Scanner, start: int, flags: int) -> Node:
    """Three octal digits are a character, others the text of a group again, which is not supported."""
    text = scanner.text[start + 1 : start + 4]
    if len(text) < 3 or not ("0" <= text[0] <= "7" and "0" <= text[1] <= "7" and "0" <= text[2] <= "7"):
        scanner.fail(f"the backreference \\{text[0]} is not supported: its time would not be linear", start)
    value = int(text, 8)
    if value > 0o377:
        scanner.fail(f"octal escape value \\{text} outside of range 0-0o377", start)
    scanner.at = start + 4
    return char_node(value, flags)


def character(scanner: Scanner, letter: str, start: int) -> int:
    """The character of an escape whose letter is read."""
    if letter == "x":
        return numbered(scanner, start, 2)
    if letter == "u" and not scanner.is_bytes():
        return numbered(scanner, start, 4)
    if letter == "U" and not scanner.is_bytes():
        value = numbered(scanner, start, 8)
        if value > 0x10FFFF:
            scanner.fail(f"bad escape {scanner.text[start : scanner.at]}", start)
        return value
    if letter == "0":
        while scanner.at < start + 4 and "0" <= scanner.here() <= "7":
            scanner.at += 1
        return int(scanner.text[start + 1 : scanner.at], 8)
    if letter == "N" and not scanner.is_bytes():
        scanner.fail("\\N is not supported; write \\u and the number of the character", start)
    place = LETTERS.find(letter)
    if place >= 0 and letter != "b":
        return ord(MEANT[place])
    if "a" <= letter <= "z" or "A" <= letter <= "Z":
        scanner.fail(f"bad escape \\{letter}", start)
    return ord(letter)


def numbered(scanner: Scanner, start: int, count: int) -> int:
    """So many hexadecimal digits."""
    value = scanner.hexadecimal(count)
    if value < 0:
        end = scanner.at
        while (
            end < len(scanner.text)
            and end < start + 2 + count
            and scanner.text[end] in "0123456789abcdefABCDEF"
        ):
            end += 1
        scanner.fail(f"incomplete escape {scanner.text[start:end]}", start)
    return value


def set_escape(scanner: Scanner) -> int:
    """The character of an escape in a set; below 0 for a category, whose letter has just been read."""
    start = scanner.at
    scanner.at += 1
    letter = scanner.take()
    if letter == "":
        scanner.fail("bad escape (end of pattern)", start)
    if letter in "dDsSwW":
        return -1
    if letter == "b":
        return 8
    if "0" <= letter <= "7":
        while scanner.at < start + 4 and "0" <= scanner.here() <= "7":
            scanner.at += 1
        value = int(scanner.text[start + 1 : scanner.at], 8)
        if value > 0o377:
            text = scanner.text[start : scanner.at]
            scanner.fail(f"octal escape value {text} outside of range 0-0o377", start)
        return value
    if letter == "8" or letter == "9":
        scanner.fail(f"bad escape \\{letter}", start)
    return character(scanner, letter, start)
