"""bytes.decode: UTF-8, ASCII and Latin-1, with CPython's ways to treat errors and texts to tell them."""

from __future__ import annotations

from meshext_wasm.library.builtins.bytes_layout import byte_at, data_of, length_of
from meshext_wasm.library.builtins.encodings import (
    ASCII,
    LATIN,
    UTF8,
    encoding_of,
    shown_name,
    unknown_handler,
)
from meshext_wasm.library.builtins.text import from_bytes, kind_of_bytes
from meshext_wasm.library.builtins.text_builder import TextBuilder
from meshext_wasm.library.builtins.text_repr import add_hex
from meshext_wasm.library.raw import constructor, load8, method, word

REPLACEMENT = 0xFFFD
BAD_START = "invalid start byte"
BAD_CONTINUATION = "invalid continuation byte"
CUT_OFF = "unexpected end of data"
BEYOND_ASCII = "ordinal not in range(128)"


@method(bytes)
def decode(data: bytes, /, encoding: str = "utf-8", errors: str = "strict") -> str:
    """The text in an encoding."""
    if length_of(data) == 0:
        return ""
    which = encoding_of(encoding)
    start, length = data_of(data), word(length_of(data))
    if which == LATIN or kind_of_bytes(start, length) == word(1):
        return from_bytes(start, length)
    return Decoder(data, errors, which).run()


@constructor(str)
def text_of_bytes(data: bytes, encoding: str = "utf-8", errors: str = "strict") -> str:
    """`str(data, encoding)`."""
    return decode(data, encoding, errors)


class Decoder:
    """One decoding of UTF-8 or ASCII."""

    data: bytes
    errors: str
    encoding: int
    length: int
    result: TextBuilder

    def __init__(self, data: bytes, errors: str, encoding: int) -> None:
        self.data = data
        self.errors = errors
        self.encoding = encoding
        self.length = length_of(data)
        self.result = TextBuilder()

    def run(self) -> str:
        """The text."""
        index = 0
        while index < self.length:
            byte = int(load8(data_of(self.data) + word(index)))
            if byte < 128:
                self.result.add(byte)
                index += 1
            elif self.encoding == ASCII:
                index = self.fail(index, 1, BEYOND_ASCII)
            elif byte < 0xC2 or byte > 0xF4:
                index = self.fail(index, 1, BAD_START)
            else:
                index = self.add_sequence(index, byte)
        return self.result.finish()

    def add_sequence(self, index: int, first: int) -> int:
        """A character of several bytes; the place behind it."""
        size = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
        point = first & (0x7F >> size)
        for place in range(1, size):
            if index + place >= self.length:
                return self.fail(index, place, CUT_OFF)
            byte = byte_at(self.data, index + place)
            if byte & 0xC0 != 0x80 or (place == 1 and not is_second(first, byte)):
                return self.fail(index, place, BAD_CONTINUATION)
            point = point << 6 | byte & 0x3F
        self.result.add(point)
        return index + size

    def fail(self, start: int, count: int, reason: str) -> int:
        """Treat so many wrong bytes; the place behind them."""
        end = start + count
        if self.errors == "strict":
            raise UnicodeDecodeError(shown_name(self.encoding), self.data, start, end, reason)
        if self.errors == "replace":
            self.result.add(REPLACEMENT)
        elif self.errors == "surrogateescape":
            for index in range(start, end):
                self.result.add(0xDC00 + byte_at(self.data, index))
        elif self.errors == "backslashreplace":
            for index in range(start, end):
                self.result.add(92)
                add_hex(self.result, 120, byte_at(self.data, index), 2)
        elif self.errors == "surrogatepass":
            return self.pass_surrogate(start, end, reason)
        elif self.errors != "ignore":
            raise unknown_handler(self.errors)
        return end

    def pass_surrogate(self, start: int, end: int, reason: str) -> int:
        """A surrogate in three bytes, else the failure."""
        if self.encoding == UTF8 and start + 2 < self.length and byte_at(self.data, start) == 0xED:
            second, third = byte_at(self.data, start + 1), byte_at(self.data, start + 2)
            if second & 0xE0 == 0xA0 and third & 0xC0 == 0x80:
                self.result.add(0xD000 | (second & 0x3F) << 6 | third & 0x3F)
                return start + 3
        raise UnicodeDecodeError(shown_name(self.encoding), self.data, start, end, reason)


def is_second(first: int, second: int) -> bool:
    """Whether the second byte of a sequence is none of an overlong one, a surrogate or one beyond Unicode."""
    if first == 0xE0:
        return second >= 0xA0
    if first == 0xED:
        return second < 0xA0
    if first == 0xF0:
        return second >= 0x90
    return first != 0xF4 or second < 0x90
