"""base64: Base64 in the standard and the URL alphabet, Base32 and Base16 (RFC 4648)."""

from __future__ import annotations

from meshext_wasm.library import binascii
from meshext_wasm.library.binascii import characters, count_characters, new_bytes, shortened
from meshext_wasm.library.raw import load8, load32, memory_fill, store8, value_address, value_at, word


def encode(data: bytes, plus: word, slash: word) -> bytes:
    """Base64 with the characters for 62 and 63."""
    source = value_address(data) + 16
    size = load32(value_address(data) + 8)
    result = new_bytes((size + 2) // 3 * 4)
    at = result + 16
    index = word(0)
    while index < size:
        first = load8(source + index)
        second = load8(source + index + 1) if index + 1 < size else word(0)
        third = load8(source + index + 2) if index + 2 < size else word(0)
        bits = (first << 16) | (second << 8) | third
        store8(at, letter_of(bits >> 18, plus, slash))
        store8(at + 1, letter_of((bits >> 12) & 63, plus, slash))
        store8(at + 2, letter_of((bits >> 6) & 63, plus, slash) if index + 1 < size else word(61))
        store8(at + 3, letter_of(bits & 63, plus, slash) if index + 2 < size else word(61))
        at = at + 4
        index = index + 3
    return value_at(result)


def letter_of(value: word, plus: word, slash: word) -> word:
    """The character of six bits."""
    if value < 26:
        return value + 65
    if value < 52:
        return value + 71
    if value < 62:
        return value - 4
    return plus if value == 62 else slash


def value_in(character: word, plus: word, slash: word) -> word:
    """Six bits of a character; 255 where it is none of the alphabet."""
    if character - 65 < 26:
        return character - 65
    if character - 97 < 26:
        return character - 71
    if character - 48 < 10:
        return character + 4
    if character == plus:
        return word(62)
    return word(63) if character == slash else word(255)


class Quad:
    """Where a decoder stands: characters of four taken, the last value, pads seen in this four and at all."""

    place: int
    rest: int
    pads: int
    padded: bool

    def __init__(self) -> None:
        self.place = 0
        self.rest = 0
        self.pads = 0
        self.padded = False


def decode(text: str | bytes, plus: word, slash: word, strict: bool) -> bytes:
    """The bytes of Base64. What is not in the alphabet is left out, or refused when `strict`."""
    start = characters(text)
    size = count_characters(text)
    result = new_bytes(size // 4 * 3 + 3)
    at = result + 16
    quad = Quad()
    index = word(0)
    while index < size:
        character = load8(start + index)
        index = index + 1
        if character == 61:
            if take_pad(quad, index == 1, index < size, strict):
                return shortened(result, at - result - 16)
            continue
        value = value_in(character, plus, slash)
        if value == 255:
            if strict:
                raise binascii.Error("Only base64 data is allowed")
            continue
        if strict and quad.padded:
            raise binascii.Error("Discontinuous padding not allowed")
        if quad.place > 0:
            place = word(quad.place * 2)
            store8(at, (word(quad.rest) << place) | (value >> (word(6) - place)))
            at = at + 1
        quad.pads = 0
        quad.rest = int(value)
        quad.place = (quad.place + 1) & 3
    check_end(quad.place, at - result - 16)
    return shortened(result, at - result - 16)


def take_pad(quad: Quad, first: bool, more: bool, strict: bool) -> bool:
    """One `=`; whether it ends the text."""
    if strict and first:
        raise binascii.Error("Leading padding not allowed")
    quad.padded = True
    if quad.place < 2:
        return False
    quad.pads += 1
    if quad.place + quad.pads < 4:
        return False
    if strict and more:
        raise binascii.Error("Excess data after padding")
    return True


def check_end(place: int, written: word) -> None:
    """Refuse what ends inside four characters."""
    if place == 1:
        count = int(written // 3 * 4 + 1)
        raise binascii.Error(
            f"Invalid base64-encoded string: number of data characters ({count}) cannot be 1 more than "
            "a multiple of 4"
        )
    if place != 0:
        raise binascii.Error("Incorrect padding")


def b64encode(s: bytes, altchars: bytes | None = None) -> bytes:
    """Base64; `altchars` are two bytes to use for `+` and `/`."""
    if altchars is None:
        return encode(s, word(43), word(47))
    if len(altchars) != 2:
        raise AssertionError(repr(altchars))
    return encode(s, word(altchars[0]), word(altchars[1]))


def b64decode(s: str | bytes, altchars: str | bytes | None = None, validate: bool = False) -> bytes:
    """The bytes of Base64; `validate` refuses what is not in the alphabet."""
    if altchars is not None:
        if count_characters(altchars) != 2:
            raise AssertionError(repr(altchars))
        return decode(translated(s, characters(altchars)), word(43), word(47), validate)
    return decode(s, word(43), word(47), validate)


def translated(text: str | bytes, others: word) -> bytes:
    """Characters with two of them changed to `+` and `/`, as the decoder wants them."""
    start = characters(text)
    size = count_characters(text)
    result = new_bytes(size)
    index = word(0)
    while index < size:
        character = load8(start + index)
        if character == load8(others):
            character = word(43)
        elif character == load8(others + 1):
            character = word(47)
        store8(result + 16 + index, character)
        index = index + 1
    return value_at(result)


def standard_b64encode(s: bytes) -> bytes:
    """Base64."""
    return encode(s, word(43), word(47))


def standard_b64decode(s: str | bytes) -> bytes:
    """The bytes of Base64."""
    return decode(s, word(43), word(47), False)


def urlsafe_b64encode(s: bytes) -> bytes:
    """Base64 with `-` and `_`."""
    return encode(s, word(45), word(95))


def urlsafe_b64decode(s: str | bytes) -> bytes:
    """The bytes of Base64 with `-` and `_`; `+` and `/` are taken too."""
    return b64decode(s, b"-_")


def b16encode(s: bytes) -> bytes:
    """Base16, in upper case."""
    return binascii.hexlify(s).upper()


def b16decode(s: str | bytes, casefold: bool = False) -> bytes:
    """The bytes of Base16."""
    start = characters(s)
    index = word(0)
    while index < count_characters(s):
        character = load8(start + index)
        digit = character - 48 < 10 or character - 65 < 6 or (casefold and character - 97 < 6)
        if not digit:
            raise binascii.Error("Non-base16 digit found")
        index = index + 1
    return binascii.unhexlify(s)


def b32encode(s: bytes) -> bytes:
    """Base32."""
    source = value_address(s) + 16
    size = load32(value_address(s) + 8)
    result = new_bytes((size + 4) // 5 * 8)
    count = (size * 8 + 4) // 5
    memory_fill(result + 16, 61, (size + 4) // 5 * 8)
    index = word(0)
    while index < count:
        byte = index * 5 // 8
        bits = load8(source + byte) << 8
        if byte + 1 < size:
            bits = bits | load8(source + byte + 1)
        value = (bits >> (word(11) - index * 5 % 8)) & 31
        store8(result + 16 + index, value + 65 if value < 26 else value + 24)
        index = index + 1
    return value_at(result)
