"""bytes: the class, the operators and what every object answers."""

from __future__ import annotations

from collections.abc import Iterable

from meshext_wasm.library.builtins.bytes_layout import (
    BytesBuilder,
    byte_at,
    bytes_piece,
    compare_bytes,
    concat_bytes,
    hash_bytes,
    length_of,
    new_bytes,
    repeated_bytes,
    same_bytes,
)
from meshext_wasm.library.builtins.bytes_search import part_of, span
from meshext_wasm.library.builtins.classes import type_name
from meshext_wasm.library.builtins.encoding import encode
from meshext_wasm.library.builtins.indices import count_of, place_of, start_of, step_of, stop_of, times_of
from meshext_wasm.library.builtins.iteration import Iterator, Sequence
from meshext_wasm.library.builtins.text_builder import TextBuilder
from meshext_wasm.library.builtins.text_repr import add_escaped
from meshext_wasm.library.raw import builtin, constructor, memory_fill, method, value_at, word


@builtin("bytes")
class Bytes(Sequence[int]):
    """Bytes that stay."""


@constructor(bytes)
def empty_bytes() -> bytes:
    """`bytes()`."""
    return b""


@constructor(bytes)
def bytes_of_length(count: int, /) -> bytes:
    """`bytes(count)`: zeros."""
    size = times_of(count)
    if count < 0:
        raise ValueError("negative count")
    address = new_bytes(size)
    memory_fill(address + word(16), word(0), word(size))
    return value_at(address)


@constructor(bytes)
def bytes_of_text(source: str, encoding: str, errors: str = "strict") -> bytes:
    """`bytes(text, encoding)`."""
    return encode(source, encoding, errors)


@constructor(bytes)
def bytes_itself(data: bytes, /) -> bytes:
    """`bytes(data)`."""
    return data


@constructor(bytes)
def bytes_of_ints(numbers: Iterable[int], /) -> bytes:
    """`bytes(numbers)`."""
    result = BytesBuilder()
    for each in numbers:
        if each < 0 or each > 255:
            raise ValueError("bytes must be in range(0, 256)")
        result.add(each)
    return result.finish()


@method(bytes, "__len__")
def length_of_bytes(data: bytes) -> int:
    """`len(data)`."""
    return length_of(data)


@method(bytes, "__bool__")
def is_bytes_filled(data: bytes) -> bool:
    """Whether there is a byte."""
    return length_of(data) > 0


@method(bytes, "__hash__")
def hash_of_bytes(data: bytes) -> int:
    """`hash(data)`; the same in every run."""
    return int(hash_bytes(data))


@method(bytes, "__eq__")
def equal_bytes(data: bytes, other: object) -> bool:
    """`data == other`."""
    return same_bytes(data, other) if isinstance(other, bytes) else NotImplemented


@method(bytes, "__lt__")
def less_bytes(data: bytes, other: object) -> bool:
    """`data < other`."""
    return compare_bytes(data, other) < 0 if isinstance(other, bytes) else NotImplemented


@method(bytes, "__le__")
def less_equal_bytes(data: bytes, other: object) -> bool:
    """`data <= other`."""
    return compare_bytes(data, other) <= 0 if isinstance(other, bytes) else NotImplemented


@method(bytes, "__gt__")
def greater_bytes(data: bytes, other: object) -> bool:
    """`data > other`."""
    return compare_bytes(data, other) > 0 if isinstance(other, bytes) else NotImplemented


@method(bytes, "__ge__")
def greater_equal_bytes(data: bytes, other: object) -> bool:
    """`data >= other`."""
    return compare_bytes(data, other) >= 0 if isinstance(other, bytes) else NotImplemented


@method(bytes, "__contains__")
def contains_bytes(data: bytes, part: object) -> bool:
    """`part in data`."""
    if isinstance(part, (bytes, int)):
        return span(data, 0, length_of(data), part_of(part)) >= 0
    raise TypeError(f"a bytes-like object is required, not '{type_name(part)}'")


@method(bytes, "__getitem__")
def item_of_bytes(data: bytes, index: int) -> int:
    """`data[index]`."""
    return byte_at(data, place_of(index, length_of(data), "byte", "index out of range"))


@method(bytes, "__getslice__")
def slice_of_bytes(data: bytes, start: int | None, stop: int | None, step: int | None) -> bytes:
    """`data[start:stop:step]`."""
    length, by = length_of(data), step_of(step)
    first = start_of(start, by, length)
    end = stop_of(stop, by, length)
    if by == 1:
        return bytes_piece(data, first, end)
    result = BytesBuilder()
    for index in range(count_of(first, end, by)):
        result.add(byte_at(data, first + index * by))
    return result.finish()


@method(bytes, "__iter__")
def iterate_bytes(data: bytes) -> Iterator[int]:
    """Over the bytes."""
    return BytesIterator(data)


@method(bytes, "__add__")
def add_bytes(data: bytes, other: bytes) -> bytes:
    """`data + other`."""
    if not isinstance(other, bytes):
        raise TypeError(f"can't concat {type_name(other)} to bytes")
    return concat_bytes(data, other)


@method(bytes, "__mul__")
def multiply_bytes(data: bytes, times: int) -> bytes:
    """`data * times`."""
    return repeated_bytes(data, times_of(times))


@method(bytes, "__rmul__")
def multiply_bytes_reflected(data: bytes, times: int) -> bytes:
    """`times * data`."""
    return repeated_bytes(data, times_of(times))


@method(bytes, "__repr__")
def repr_of_bytes(data: bytes) -> str:
    """`repr(data)`."""
    double = span(data, 0, length_of(data), b"'") >= 0 and span(data, 0, length_of(data), b'"') < 0
    quote = 34 if double else 39
    result = TextBuilder()
    result.add(98)
    result.add(quote)
    for index in range(length_of(data)):
        byte = byte_at(data, index)
        if byte in (quote, 92):
            result.add(92)
            result.add(byte)
        elif 32 <= byte < 127:
            result.add(byte)
        else:
            add_escaped(result, byte)
    result.add(quote)
    return result.finish()


@method(bytes)
def join(data: bytes, parts: Iterable[bytes], /) -> bytes:
    """The parts with these bytes between them."""
    result = BytesBuilder()
    for number, each in enumerate(parts):
        check_part(number, each)
        if number > 0:
            result.add_part(data, 0, length_of(data))
        result.add_part(each, 0, length_of(each))
    return result.finish()


def check_part(index: int, part: object) -> None:
    """Refuse to join what is no bytes."""
    if not isinstance(part, bytes):
        raise TypeError(f"sequence item {index}: expected a bytes-like object, {type_name(part)} found")


class BytesIterator(Iterator[int]):
    """Over the bytes of an object."""

    data: bytes
    index: int

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.index = 0

    def advance(self) -> bool:
        """Move to the next byte."""
        if self.index >= length_of(self.data):
            return False
        self.current = byte_at(self.data, self.index)
        self.index += 1
        return True
