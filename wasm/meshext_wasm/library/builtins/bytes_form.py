"""bytes: case, kinds, width, hexadecimal and translation."""

from __future__ import annotations

from meshext_wasm.library.builtins.bytes_layout import (
    BytesBuilder,
    byte_at,
    bytes_piece,
    concat_bytes,
    length_of,
    new_bytes,
    repeated_bytes,
)
from meshext_wasm.library.builtins.bytes_split import is_blank, is_cut
from meshext_wasm.library.builtins.indices import short_of, size_of
from meshext_wasm.library.builtins.text import character, text_length
from meshext_wasm.library.builtins.text_builder import TextBuilder
from meshext_wasm.library.raw import method, static_method, store8, value_address, value_at, word


def is_lower(byte: int) -> bool:
    """`a` to `z`."""
    return 97 <= byte <= 122


def is_upper(byte: int) -> bool:
    """`A` to `Z`."""
    return 65 <= byte <= 90


def recased(data: bytes, lowers: bool, uppers: bool) -> bytes:
    """With the small letters made large, the large ones small, or both."""
    length = length_of(data)
    address = new_bytes(length)
    for index in range(length):
        byte = byte_at(data, index)
        if (lowers and is_lower(byte)) or (uppers and is_upper(byte)):
            byte ^= 32
        store8(address + word(16 + index), word(byte))
    return value_at(address)


@method(bytes)
def upper(data: bytes, /) -> bytes:
    """ASCII letters in upper case."""
    return recased(data, True, False)


@method(bytes)
def lower(data: bytes, /) -> bytes:
    """ASCII letters in lower case."""
    return recased(data, False, True)


@method(bytes)
def swapcase(data: bytes, /) -> bytes:
    """ASCII letters in the other case."""
    return recased(data, True, True)


@method(bytes)
def capitalize(data: bytes, /) -> bytes:
    """The first letter in upper case, the others in lower case."""
    return concat_bytes(upper(bytes_piece(data, 0, 1)) if data else b"", lower(data)[1:])


@method(bytes)
def title(data: bytes, /) -> bytes:
    """The first letter of each word in upper case, the others in lower case."""
    result, inside = BytesBuilder(), False
    for index in range(length_of(data)):
        byte = byte_at(data, index)
        letter = is_lower(byte) or is_upper(byte)
        if letter and is_upper(byte) == inside:
            byte ^= 32
        result.add(byte)
        inside = letter
    return result.finish()


@method(bytes)
def isalpha(data: bytes, /) -> bool:
    """ASCII letters only."""
    return all_between(data, True, False)


@method(bytes)
def isdigit(data: bytes, /) -> bool:
    """ASCII digits only."""
    return all_between(data, False, True)


@method(bytes)
def isalnum(data: bytes, /) -> bool:
    """ASCII letters and digits only."""
    return all_between(data, True, True)


def all_between(data: bytes, letters: bool, digits: bool) -> bool:
    """Whether there are bytes and each is a letter or a digit, as wanted."""
    for index in range(length_of(data)):
        byte = byte_at(data, index)
        if not ((letters and (is_lower(byte) or is_upper(byte))) or (digits and 48 <= byte <= 57)):
            return False
    return length_of(data) > 0


@method(bytes)
def isspace(data: bytes, /) -> bool:
    """ASCII spaces only."""
    for index in range(length_of(data)):
        if not is_blank(byte_at(data, index)):
            return False
    return length_of(data) > 0


@method(bytes)
def isascii(data: bytes, /) -> bool:
    """ASCII only; the empty one too."""
    for index in range(length_of(data)):
        if byte_at(data, index) >= 128:
            return False
    return True


@method(bytes)
def islower(data: bytes, /) -> bool:
    """A small letter and no large one."""
    return has_case(data, True, False)


@method(bytes)
def isupper(data: bytes, /) -> bool:
    """A large letter and no small one."""
    return has_case(data, False, True)


def has_case(data: bytes, lowers: bool, uppers: bool) -> bool:
    """Whether there is a letter of the wanted case and none of the other."""
    small, large = False, False
    for index in range(length_of(data)):
        byte = byte_at(data, index)
        small = small or is_lower(byte)
        large = large or is_upper(byte)
    return small == lowers and large == uppers


@method(bytes)
def istitle(data: bytes, /) -> bool:
    """A large letter at the beginning of each word, small ones inside."""
    found, inside = False, False
    for index in range(length_of(data)):
        byte = byte_at(data, index)
        letter = is_lower(byte) or is_upper(byte)
        if letter and is_upper(byte) == inside:
            return False
        found = found or letter
        inside = letter
    return found


def padded(data: bytes, left: int, right: int, fill: bytes, name: str) -> bytes:
    """With so many fill bytes on both sides."""
    if length_of(fill) != 1:
        raise TypeError(f"{name}() argument 2 must be a byte string of length 1, not bytes")
    if left <= 0 and right <= 0:
        return data
    return concat_bytes(concat_bytes(repeated_bytes(fill, left), data), repeated_bytes(fill, right))


@method(bytes)
def ljust(data: bytes, width: int, fillchar: bytes = b" ", /) -> bytes:
    """At the left of a width."""
    return padded(data, 0, size_of(width) - length_of(data), fillchar, "ljust")


@method(bytes)
def rjust(data: bytes, width: int, fillchar: bytes = b" ", /) -> bytes:
    """At the right of a width."""
    return padded(data, size_of(width) - length_of(data), 0, fillchar, "rjust")


@method(bytes)
def center(data: bytes, width: int, fillchar: bytes = b" ", /) -> bytes:
    """In the middle of a width."""
    space = size_of(width) - length_of(data)
    left = space // 2 + (space & width & 1) if space > 0 else 0
    return padded(data, left, space - left, fillchar, "center")


@method(bytes)
def zfill(data: bytes, width: int, /) -> bytes:
    """With zeros before it, behind its sign."""
    length = length_of(data)
    if size_of(width) <= length:
        return data
    sign = 1 if length > 0 and byte_at(data, 0) in (43, 45) else 0
    zeros = repeated_bytes(b"0", width - length)
    return concat_bytes(concat_bytes(bytes_piece(data, 0, sign), zeros), bytes_piece(data, sign, length))


@method(bytes)
def expandtabs(data: bytes, /, tabsize: int = 8) -> bytes:
    """With spaces in place of tabs."""
    result, column, size = BytesBuilder(), 0, short_of(tabsize)
    for index in range(length_of(data)):
        byte = byte_at(data, index)
        if byte == 9:
            gap = size - column % size if size > 0 else 0
            result.add_part(repeated_bytes(b" ", gap), 0, gap)
            column += gap
            continue
        result.add(byte)
        column = 0 if byte in (10, 13) else column + 1
    return result.finish()


@method(bytes)
def translate(data: bytes, table: bytes | None, /, delete: bytes = b"") -> bytes:
    """Without the bytes to delete, the others replaced by what a table of 256 has for them."""
    if table is not None and length_of(table) != 256:
        raise ValueError("translation table must be 256 characters long")
    result = BytesBuilder()
    for index in range(length_of(data)):
        byte = byte_at(data, index)
        if not is_cut(byte, delete):
            result.add(byte if table is None else byte_at(table, byte))
    return result.finish()


@static_method(bytes)
def maketrans(old: bytes, new: bytes, /) -> bytes:
    """A table for `translate`: each byte of one becomes that of the other."""
    if length_of(old) != length_of(new):
        raise ValueError("maketrans arguments must have same length")
    address = new_bytes(256)
    for byte in range(256):
        store8(address + word(16 + byte), word(byte))
    for index in range(length_of(old)):
        store8(address + word(16 + byte_at(old, index)), word(byte_at(new, index)))
    return value_at(address)


def hex_digit(value: int) -> int:
    """The code point of a hexadecimal digit."""
    return 48 + value if value < 10 else 87 + value


@method(bytes, "hex")
def hex_of_bytes(data: bytes, /, sep: str | None = None, bytes_per_sep: int = 1) -> str:
    """Two hexadecimal digits a byte; a separator between groups, counted from the right, or the left when
    their size is negative."""
    if sep is not None and len(sep) != 1:
        raise ValueError("sep must be length 1.")
    result, length, group = TextBuilder(), length_of(data), short_of(bytes_per_sep)
    for index in range(length):
        if sep is not None and group != 0 and index > 0:
            place = length - index if group > 0 else index
            if place % group == 0:
                result.add_text(sep)
        byte = byte_at(data, index)
        result.add(hex_digit(byte >> 4))
        result.add(hex_digit(byte & 15))
    return result.finish()


@static_method(bytes)
def fromhex(text: str, /) -> bytes:
    """The bytes of pairs of hexadecimal digits, with ASCII spaces between pairs."""
    result, index = BytesBuilder(), 0
    source = value_address(text)
    length = int(text_length(source))
    for place in range(length):
        if character(source, word(place)) >= word(128):
            raise ValueError(f"non-hexadecimal number found in fromhex() arg at position {place}")
    while index < length:
        if is_blank(int(character(source, word(index)))):
            index += 1
            continue
        byte = 0
        for place in (index, index + 1):
            point = int(character(source, word(place))) if place < length else 0
            digit = hex_value(point)
            if digit < 0:
                raise ValueError(f"non-hexadecimal number found in fromhex() arg at position {place}")
            byte = byte * 16 + digit
        result.add(byte)
        index += 2
    return result.finish()


def hex_value(point: int) -> int:
    """The value of a hexadecimal digit, or -1."""
    if 48 <= point <= 57:
        return point - 48
    letter = point | 32
    return letter - 87 if 97 <= letter <= 102 else -1
