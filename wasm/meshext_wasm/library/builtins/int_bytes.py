"""Ints as bytes and bytes as ints."""

from __future__ import annotations

from meshext_wasm.library.builtins import limbs
from meshext_wasm.library.builtins.integers import of_twos, twos
from meshext_wasm.library.raw import (
    blob_new,
    class_descriptor,
    load8,
    load32,
    method,
    static_method,
    store8,
    store32,
    value_address,
    value_at,
    word,
)


@method(int)
def to_bytes(number: int, length: int = 1, byteorder: str = "big", *, signed: bool = False) -> bytes:
    """The bytes of an int. OverflowError when they are too few, or it is negative and not `signed`."""
    little = is_little(byteorder)
    number, length = number + 0, length + 0  # they may be True or False
    if length < 0:
        raise ValueError("length argument must be non-negative")
    if number < 0 and not signed:
        raise OverflowError("can't convert negative int to unsigned")
    if not fits(number, length, signed):
        raise OverflowError("int too big to convert")
    if length > 1 << 28:
        raise MemoryError
    blob = limbs.of(number)
    count = limbs.size(blob) + 1
    source = twos(blob, count) + 16
    size = word(length)
    result = value_address(blob_new(class_descriptor(bytes), size + 8))
    store32(result + 8, size)
    store32(result + 12, 0)
    index = word(0)
    filler = word(255) if number < 0 else word(0)
    while index < size:
        place = index if little else size - 1 - index
        store8(result + 16 + place, load8(source + index) if index < count * 4 else filler)
        index = index + 1
    return value_at(result)


def fits(number: int, length: int, signed: bool) -> bool:
    """Whether so many bytes hold an int."""
    if not signed:
        return int(limbs.bits_in(limbs.of(number))) <= length * 8
    magnitude = -number - 1 if number < 0 else number
    return int(limbs.bits_in(limbs.of(magnitude))) < length * 8 or magnitude == 0


def is_little(byteorder: str) -> bool:
    """What the name of an order means."""
    if byteorder != "little" and byteorder != "big":
        raise ValueError("byteorder must be either 'little' or 'big'")
    return byteorder == "little"


@static_method(int)
def from_bytes(data: bytes, byteorder: str = "big", *, signed: bool = False) -> int:
    """The int of bytes; `signed` reads two's complement."""
    little = is_little(byteorder)
    size = load32(value_address(data) + 8)
    if size > 0x10000:
        limbs.refuse_size()
    source = value_address(data) + 16
    blob = limbs.new(size // 4 + 2)
    index = word(0)
    while index < size:
        store8(blob + 16 + index, load8(source + index if little else source + (size - 1 - index)))
        index = index + 1
    if signed and size > 0 and load8(blob + 16 + size - 1) >= 128:
        while index < limbs.size(blob) * 4:
            store8(blob + 16 + index, 255)
            index = index + 1
        return of_twos(blob)
    return limbs.finish(blob)
