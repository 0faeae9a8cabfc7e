"""bytes: finding and counting parts."""

from __future__ import annotations

from meshext_wasm.library.builtins.bytes_layout import (
    BytesBuilder,
    bytes_piece,
    data_of,
    length_of,
    new_bytes,
)
from meshext_wasm.library.builtins.indices import bound, first_bound, size_of
from meshext_wasm.library.raw import budget_charge, load8, memory_equal, method, store8, value_at, word


def part_of(part: bytes | int) -> bytes:
    """What is looked for as bytes."""
    if isinstance(part, bytes):
        return part
    if part < 0 or part > 255:
        raise ValueError("byte must be in range(0, 256)")
    address = new_bytes(1)
    store8(address + word(16), word(part))
    return value_at(address)


def span(data: bytes, start: int, stop: int, part: bytes) -> int:
    """Where a part first stands between two places, or -1."""
    size = length_of(part)
    if stop - start < size:
        return -1
    if size == 0:
        return start
    inner = data_of(part)
    first = load8(inner)
    place, last = data_of(data) + word(start), data_of(data) + word(stop - size)
    while place <= last:
        if load8(place) == first:
            budget_charge(word(size) >> word(4))
            if memory_equal(place, inner, word(size)):
                return int(place - data_of(data))
        place = place + word(1)
    return -1


def span_last(data: bytes, start: int, stop: int, part: bytes) -> int:
    """Where a part last stands between two places, or -1."""
    size = length_of(part)
    if stop - start < size:
        return -1
    for index in range(stop - size, start - 1, -1):
        budget_charge(word(size) >> word(4))
        if memory_equal(data_of(data) + word(index), data_of(part), word(size)):
            return index
    return -1


@method(bytes)
def find(data: bytes, part: bytes | int, start: int | None = None, stop: int | None = None, /) -> int:
    """Where a part first stands, or -1."""
    length = length_of(data)
    return span(data, first_bound(start, length), bound(stop, length, length), part_of(part))


@method(bytes)
def rfind(data: bytes, part: bytes | int, start: int | None = None, stop: int | None = None, /) -> int:
    """Where a part last stands, or -1."""
    length = length_of(data)
    return span_last(data, first_bound(start, length), bound(stop, length, length), part_of(part))


@method(bytes)
def index(data: bytes, part: bytes | int, start: int | None = None, stop: int | None = None, /) -> int:
    """Where a part first stands."""
    found = find(data, part, start, stop)
    if found < 0:
        raise ValueError("subsection not found")
    return found


@method(bytes)
def rindex(data: bytes, part: bytes | int, start: int | None = None, stop: int | None = None, /) -> int:
    """Where a part last stands."""
    found = rfind(data, part, start, stop)
    if found < 0:
        raise ValueError("subsection not found")
    return found


@method(bytes)
def count(data: bytes, part: bytes | int, start: int | None = None, stop: int | None = None, /) -> int:
    """How often a part stands in the data, without overlaps."""
    length = length_of(data)
    first, last = first_bound(start, length), bound(stop, length, length)
    wanted = part_of(part)
    size = length_of(wanted)
    if size == 0:
        return last - first + 1 if last >= first else 0
    found, at = 0, span(data, first, last, wanted)
    while at >= 0:
        found += 1
        at = span(data, at + size, last, wanted)
    return found


@method(bytes)
def startswith(
    data: bytes, prefix: bytes | tuple[bytes, ...], start: int | None = None, stop: int | None = None, /
) -> bool:
    """Whether the data, or the part of it between two places, begins with one of the prefixes."""
    length = length_of(data)
    first, last = first_bound(start, length), bound(stop, length, length)
    if isinstance(prefix, bytes):
        return stands(data, prefix, first, last)
    for each in prefix:
        if stands(data, each, first, last):
            return True
    return False


@method(bytes)
def endswith(
    data: bytes, suffix: bytes | tuple[bytes, ...], start: int | None = None, stop: int | None = None, /
) -> bool:
    """Whether the data, or the part of it between two places, ends with one of the suffixes."""
    length = length_of(data)
    first, last = first_bound(start, length), bound(stop, length, length)
    if isinstance(suffix, bytes):
        return closes(data, suffix, first, last)
    for each in suffix:
        if closes(data, each, first, last):
            return True
    return False


def stands(data: bytes, part: bytes, start: int, stop: int) -> bool:
    """Whether a part stands at `start` and ends before `stop`."""
    size = length_of(part)
    return stop - start >= size and memory_equal(data_of(data) + word(start), data_of(part), word(size))


def closes(data: bytes, part: bytes, start: int, stop: int) -> bool:
    """Whether a part ends at `stop` and begins after `start`."""
    size = length_of(part)
    return stop - start >= size and stands(data, part, stop - size, stop)


@method(bytes)
def removeprefix(data: bytes, prefix: bytes, /) -> bytes:
    """Without the prefix, if it is there."""
    length = length_of(data)
    return bytes_piece(data, length_of(prefix), length) if stands(data, prefix, 0, length) else data


@method(bytes)
def removesuffix(data: bytes, suffix: bytes, /) -> bytes:
    """Without the suffix, if it is there."""
    length = length_of(data)
    if length_of(suffix) > 0 and closes(data, suffix, 0, length):
        return bytes_piece(data, 0, length - length_of(suffix))
    return data


@method(bytes)
def replace(data: bytes, old: bytes, new: bytes, count: int = -1, /) -> bytes:
    """With another part in place of the first so many; all when negative."""
    length, size = length_of(data), length_of(old)
    left = count if size_of(count) >= 0 else length + 1
    result, done = BytesBuilder(), 0
    at = span(data, 0, length, old) if left > 0 else -1
    while at >= 0 and left > 0:
        result.add_part(data, done, at)
        result.add_part(new, 0, length_of(new))
        done, left = at + size, left - 1
        if size > 0:
            at = span(data, done, length, old)
        else:
            at = done + 1 if done < length else -1
    result.add_part(data, done, length)
    return result.finish()
