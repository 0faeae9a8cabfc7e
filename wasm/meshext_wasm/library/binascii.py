"""binascii: hexlify, unhexlify, crc32; Base64 is in `base64`."""

from __future__ import annotations

from meshext_wasm.library.builtins.ascii import digit_of, new_ascii, value_of
from meshext_wasm.library.builtins.text import text_length
from meshext_wasm.library.raw import (
    blob_new,
    class_descriptor,
    load8,
    load32,
    store8,
    store32,
    value_address,
    value_at,
    word,
)


class Error(ValueError):
    """Text that is not what it should be."""


def new_bytes(size: word) -> word:
    """Address of a new bytes object whose bytes, from +16 on, are still to be written."""
    result = value_address(blob_new(class_descriptor(bytes), size + 8))
    store32(result + 8, size)
    store32(result + 12, 0)
    return result


def shortened(data: word, size: word) -> bytes:
    """A new bytes object that became shorter than planned."""
    store32(data + 4, size + 8)
    store32(data + 8, size)
    return value_at(data)


def write_hex(source: word, size: word, to: word) -> None:
    """Two digits a byte."""
    index = word(0)
    while index < size:
        byte = load8(source + index)
        store8(to + index * 2, digit_of(byte >> 4))
        store8(to + index * 2 + 1, digit_of(byte & 15))
        index = index + 1


def hex_text(data: bytes) -> str:
    """The bytes in hexadecimal, as a str."""
    size = load32(value_address(data) + 8)
    result = new_ascii(size * 2)
    write_hex(value_address(data) + 16, size, result + 24)
    return value_at(result)


def hexlify(data: bytes) -> bytes:
    """The bytes in hexadecimal, as bytes."""
    size = load32(value_address(data) + 8)
    result = new_bytes(size * 2)
    write_hex(value_address(data) + 16, size, result + 16)
    return value_at(result)


def b2a_hex(data: bytes) -> bytes:
    """The same as `hexlify`."""
    return hexlify(data)


def unhexlify(hexstr: str | bytes, /) -> bytes:
    """The bytes that hexadecimal digits stand for."""
    start = characters(hexstr)
    size = count_characters(hexstr)
    if size % 2 != 0:
        raise Error("Odd-length string")
    result = new_bytes(size // 2)
    index = word(0)
    while index < size:
        upper = value_of(load8(start + index))
        lower = value_of(load8(start + index + 1))
        if upper > 15 or lower > 15:
            raise Error("Non-hexadecimal digit found")
        store8(result + 16 + index // 2, upper * 16 + lower)
        index = index + 2
    return value_at(result)


def a2b_hex(hexstr: str | bytes, /) -> bytes:
    """The same as `unhexlify`."""
    return unhexlify(hexstr)


def characters(text: str | bytes) -> word:
    """Where the characters of bytes or of an ASCII str begin."""
    if isinstance(text, bytes):
        return value_address(text) + 16
    if load32(value_address(text) + 12) != 1:
        raise ValueError("string argument should contain only ASCII characters")
    return value_address(text) + 24


def count_characters(text: str | bytes) -> word:
    """How many characters there are."""
    if isinstance(text, bytes):
        return load32(value_address(text) + 8)
    return text_length(value_address(text))


def crc32(data: bytes, value: int = 0, /) -> int:
    """The CRC of ISO 3309, which zip files and PNG use."""
    source = value_address(data) + 16
    size = load32(value_address(data) + 8)
    result = ~word(value & 0xFFFFFFFF)
    index = word(0)
    while index < size:
        result = result ^ load8(source + index)
        bit = word(0)
        while bit < 8:
            result = (result >> 1) ^ ((result & 1) * 0xEDB88320)
            bit = bit + 1
        index = index + 1
    return int(~result)
