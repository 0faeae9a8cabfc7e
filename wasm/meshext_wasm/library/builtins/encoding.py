"""str.encode: UTF-8, ASCII and Latin-1, with CPython's ways to treat errors and texts to tell them."""

from __future__ import annotations

from meshext_wasm.library.builtins.bytes_layout import BytesBuilder, copied
from meshext_wasm.library.builtins.encodings import (
    ASCII,
    LATIN,
    UTF8,
    encoding_of,
    shown_name,
    unknown_handler,
)
from meshext_wasm.library.builtins.text import ASCII as ASCII_KIND
from meshext_wasm.library.builtins.text import UCS4, point_at, text_kind, text_length
from meshext_wasm.library.builtins.text_builder import TextBuilder
from meshext_wasm.library.builtins.text_repr import add_hex
from meshext_wasm.library.raw import method, value_address, word

SURROGATE = "surrogates not allowed"


@method(str)
def encode(text: str, /, encoding: str = "utf-8", errors: str = "strict") -> bytes:
    """The bytes in an encoding."""
    which = encoding_of(encoding)
    source = value_address(text)
    kind = text_kind(source)
    if kind == word(ASCII_KIND) or (which == LATIN and kind != word(UCS4)):
        return copied(source + word(24), int(text_length(source)))
    return Encoder(text, errors, which).run()


class Encoder:
    """One encoding of what is not ASCII."""

    text: str
    errors: str
    encoding: int
    result: BytesBuilder

    def __init__(self, text: str, errors: str, encoding: int) -> None:
        self.text = text
        self.errors = errors
        self.encoding = encoding
        self.result = BytesBuilder()

    def run(self) -> bytes:
        """The bytes."""
        index, length = 0, len(self.text)
        while index < length:
            point = point_at(self.text, index)
            if not self.can_encode(point):
                stop = index + 1
                while stop < length and not self.can_encode(point_at(self.text, stop)):
                    stop += 1
                self.fail(index, stop)
                index = stop
                continue
            if self.encoding == UTF8:
                self.add_point(point)
            else:
                self.result.add(point)
            index += 1
        return self.result.finish()

    def can_encode(self, point: int) -> bool:
        """Whether the encoding has the character."""
        if self.encoding == UTF8:
            return point < 0xD800 or point > 0xDFFF
        return point < (128 if self.encoding == ASCII else 256)

    def add_point(self, point: int) -> None:
        """Append a character in UTF-8."""
        if point < 0x80:
            self.result.add(point)
        elif point < 0x800:
            self.result.add(0xC0 | point >> 6)
            self.result.add(0x80 | point & 0x3F)
        elif point < 0x10000:
            self.result.add(0xE0 | point >> 12)
            self.result.add(0x80 | point >> 6 & 0x3F)
            self.result.add(0x80 | point & 0x3F)
        else:
            self.result.add(0xF0 | point >> 18)
            self.result.add(0x80 | point >> 12 & 0x3F)
            self.result.add(0x80 | point >> 6 & 0x3F)
            self.result.add(0x80 | point & 0x3F)

    def fail(self, start: int, stop: int) -> None:
        """Treat characters that the encoding does not have."""
        if self.errors == "ignore":
            return
        for index in range(start, stop):
            point = point_at(self.text, index)
            if self.errors == "replace":
                self.result.add(63)
            elif self.errors == "surrogateescape" and 0xDC80 <= point <= 0xDCFF:
                self.result.add(point - 0xDC00)
            elif self.errors == "surrogatepass" and self.encoding == UTF8:
                self.result.add(0xE0 | point >> 12)
                self.result.add(0x80 | point >> 6 & 0x3F)
                self.result.add(0x80 | point & 0x3F)
            elif self.errors in ("backslashreplace", "xmlcharrefreplace"):
                self.add_escaped(point)
            elif self.errors in ("strict", "surrogateescape", "surrogatepass"):
                raise UnicodeEncodeError(shown_name(self.encoding), self.text, index, stop, self.reason())
            else:
                raise unknown_handler(self.errors)

    def reason(self) -> str:
        """Why a character can not be encoded."""
        if self.encoding == UTF8:
            return SURROGATE
        return "ordinal not in range(128)" if self.encoding == ASCII else "ordinal not in range(256)"

    def add_escaped(self, point: int) -> None:
        """Append what stands for a character in Python's text or in XML."""
        shown = TextBuilder()
        if self.errors == "xmlcharrefreplace":
            shown.add_text(f"&#{point};")
        else:
            shown.add(92)
            if point < 0x100:
                add_hex(shown, 120, point, 2)
            elif point < 0x10000:
                add_hex(shown, 117, point, 4)
            else:
                add_hex(shown, 85, point, 8)
        made = shown.finish()
        for index in range(len(made)):
            self.result.add(point_at(made, index))
