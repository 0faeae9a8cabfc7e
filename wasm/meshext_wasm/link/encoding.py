"""Numbers, names and sections of WebAssembly's binary format, read and written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from meshext_wasm.link.errors import LinkError
from meshext_wasm.tree.pickling import soon_read

MAGIC = b"\0asm\x01\0\0\0"
PADDED = 5
"""Bytes of a 32-bit number that a linker can overwrite in place."""

I32, I64, F32, F64 = 0x7F, 0x7E, 0x7D, 0x7C
TYPE_NAMES = {I32: "i32", I64: "i64", F32: "f32", F64: "f64", 0x70: "funcref", 0x6F: "externref"}


@soon_read
@dataclass(frozen=True, slots=True)
class Signature:
    """Types of a function's parameters and results, one byte each, as the format writes them."""

    parameters: bytes
    results: bytes

    def __str__(self) -> str:
        return f"({named(self.parameters)}) -> ({named(self.results)})"


def named(types: bytes) -> str:
    """Types as they are written in text."""
    return ", ".join(TYPE_NAMES.get(each, hex(each)) for each in types)


class Reader:
    """A place in bytes of the format. Reading past the end is a LinkError that names the file."""

    __slots__ = ("at", "data", "end", "source")

    def __init__(self, data: bytes, *, source: str, at: int = 0, end: int | None = None) -> None:
        self.data = data
        self.at = at
        self.end = len(data) if end is None else end
        self.source = source

    def broken(self, what: str) -> LinkError:
        """The error for bytes that are not what the format asks for."""
        return LinkError([f"{self.source}: {what} at byte {self.at}; this is no WebAssembly of ours"])

    def byte(self) -> int:
        """One byte."""
        if self.at >= self.end:
            raise self.broken("ends too early")
        self.at += 1
        return self.data[self.at - 1]

    def unsigned(self) -> int:
        """A number in LEB128, of 64 bits at most."""
        if self.at < self.end and self.data[self.at] < 0x80:  # most have one byte
            self.at += 1
            return self.data[self.at - 1]
        result = shift = 0
        while True:
            byte = self.byte()
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                return result
            shift += 7
            if shift > 63:
                raise self.broken("a number without an end")

    def signed(self) -> int:
        """A signed number in LEB128, of 64 bits at most."""
        result = shift = 0
        while True:
            byte = self.byte()
            result |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return result - (1 << shift) if byte & 0x40 else result
            if shift > 63:
                raise self.broken("a number without an end")

    def take(self, count: int) -> bytes:
        """The next bytes."""
        if count > self.end - self.at:
            raise self.broken("ends too early")
        self.at += count
        return self.data[self.at - count : self.at]

    def name(self) -> str:
        """A name: length, then UTF-8."""
        raw = self.take(self.unsigned())
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise self.broken("a name that is no UTF-8") from None

    def part(self, size: int) -> Reader:
        """A reader of the next bytes, which this one skips."""
        start = self.at
        self.take(size)
        return Reader(self.data, source=self.source, at=start, end=self.at)

    def signature(self) -> Signature:
        """An entry of the type section."""
        if self.byte() != 0x60:
            raise self.broken("a type that is no function's")
        parameters = self.take(self.unsigned())
        return Signature(parameters, self.take(self.unsigned()))


def sections(data: bytes, *, source: str) -> Iterator[tuple[int, str, Reader]]:
    """The sections of a module or object: id, name (of custom ones), contents."""
    reader = Reader(data, source=source)
    if reader.take(min(8, len(data))) != MAGIC:
        reader.at = 0
        raise reader.broken("not the start of a WebAssembly module")
    while reader.at < reader.end:
        kind = reader.byte()
        contents = reader.part(reader.unsigned())
        yield kind, contents.name() if kind == 0 else "", contents


def unsigned(number: int) -> bytes:
    """A number in LEB128."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def signed(number: int) -> bytes:
    """A signed number in LEB128."""
    out = bytearray()
    while not -0x40 <= number < 0x40:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number & 0x7F)
    return bytes(out)


def text(value: str) -> bytes:
    """A name: length, then UTF-8."""
    raw = value.encode()
    return unsigned(len(raw)) + raw


def vector(items: list[bytes]) -> bytes:
    """A count, then the items."""
    return unsigned(len(items)) + b"".join(items)


def section(kind: int, contents: bytes) -> bytes:
    """A section, or nothing where it would be empty."""
    return bytes([kind]) + unsigned(len(contents)) + contents if contents else b""
