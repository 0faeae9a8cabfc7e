"""str at the bottom: its layout in memory, making, joining, cutting and comparing.

A str is a blob: at +8 the length in characters, +12 the kind (1 ASCII, 0 Latin-1, 2 UCS-4), +16 the hash
or 0, +20 for a literal 1 where it is the name of a header line as it stands, +24 the characters of 1 or 4
bytes. The kind is always the narrowest that holds all characters.
"""

from __future__ import annotations

from meshext_wasm.library.raw import (
    array,
    array_get,
    array_length,
    array_new,
    array_set,
    blob_new,
    budget_charge,
    budget_left,
    budget_set,
    class_descriptor,
    heap_base,
    load8,
    load32,
    load64,
    memory_copy,
    memory_equal,
    nothrow,
    store8,
    store32,
    value_address,
    value_at,
    value_is,
    wide,
    word,
)

LATIN = 0
ASCII = 1
UCS4 = 2
LONGEST = 1 << 27
"""Characters that no str can have: its memory would not fit beside anything else."""


def new_text(length: word, kind: word) -> word:
    """Address of a new str whose characters are to be written."""
    if length > word(LONGEST):
        raise MemoryError
    size = length * word(4) if kind == word(UCS4) else length
    budget_charge(size >> word(4))
    address = value_address(blob_new(class_descriptor(str), size + word(16)))
    store32(address + word(8), length)
    store32(address + word(12), kind)
    store32(address + word(16), word(0))
    store32(address + word(20), word(0))
    return address


def text_length(address: word) -> word:
    """Characters of the str at an address."""
    return load32(address + word(8))


def text_kind(address: word) -> word:
    """1 ASCII, 0 Latin-1, 2 UCS-4."""
    return load32(address + word(12))


def place_in(address: word, index: word) -> word:
    """Address of a character of the str at an address."""
    if text_kind(address) == word(UCS4):
        return address + word(24) + index * word(4)
    return address + word(24) + index


def character(address: word, index: word) -> word:
    """A code point of the str at an address; the index is not checked."""
    if text_kind(address) == word(UCS4):
        return load32(address + word(24) + index * word(4))
    return load8(address + word(24) + index)


def point_at(text: str, index: int) -> int:
    """A code point of a str; the index is not checked."""
    return int(character(value_address(text), word(index)))


@nothrow
def kind_of_bytes(start: word, count: word) -> word:
    """The kind for so many one-byte characters; who makes a str of them charges for them."""
    end = start + count
    place = start
    while place + word(8) <= end:
        if load64(place) & wide(0x8080808080808080) != wide(0):
            return word(LATIN)
        place = place + word(8)
    while place < end:
        if load8(place) >= word(128):
            return word(LATIN)
        place = place + word(1)
    return word(ASCII)


def kind_of_points(start: word, count: word) -> word:
    """The kind for so many four-byte characters."""
    seen = word(0)
    end = start + count * word(4)
    place = start
    while place < end:
        seen = seen | load32(place)
        place = place + word(4)
    if seen < word(128):
        return word(ASCII)
    return word(LATIN) if seen < word(256) else word(UCS4)


def from_bytes(start: word, count: word) -> str:
    """The str of so many Latin-1 characters in memory."""
    address = new_text(count, kind_of_bytes(start, count))
    memory_copy(address + word(24), start, count)
    return value_at(address)


def ascii_text(start: word, count: word) -> str:
    """The str of so many ASCII characters in memory, for who knows that they are."""
    address = new_text(count, word(ASCII))
    memory_copy(address + word(24), start, count)
    return value_at(address)


def from_points(start: word, count: word) -> str:
    """The str of so many four-byte code points in memory."""
    kind = kind_of_points(start, count)
    address = new_text(count, kind)
    if kind == word(UCS4):
        memory_copy(address + word(24), start, count * word(4))
        return value_at(address)
    place, index = start, word(0)
    while index < count:
        store8(address + word(24) + index, load32(place))
        place = place + word(4)
        index = index + word(1)
    return value_at(address)


def make_character(point: word, kind: word) -> str:
    """A new str of one code point."""
    address = new_text(word(1), kind)
    if kind == word(UCS4):
        store32(address + word(24), point)
    else:
        store8(address + word(24), point)
    return value_at(address)


def make_singles() -> array[str]:
    """The strs of the 128 ASCII characters."""
    result: array[str] = array_new(class_descriptor(array), word(128))
    point = word(0)
    while point < word(128):
        array_set(result, point, make_character(point, word(ASCII)))
        point = point + word(1)
    return result


SINGLES = make_singles()
"""Going over a text would else make an object of 32 bytes for each character."""


def one_character(point: int) -> str:
    """The str of one code point."""
    if point < 128:
        return array_get(SINGLES, word(point))
    return make_character(word(point), word(LATIN) if point < 256 else word(UCS4))


def piece(text: str, start: int, stop: int) -> str:
    """The characters from `start` up to `stop`, both inside the text."""
    source = value_address(text)
    if start >= stop:
        return ""
    count = word(stop - start)
    if count == text_length(source):
        return text
    if count == word(1):
        return one_character(int(character(source, word(start))))
    place = place_in(source, word(start))
    kind = text_kind(source)
    if kind == word(UCS4):
        return from_points(place, count)
    if kind == word(LATIN):
        return from_bytes(place, count)
    address = new_text(count, kind)
    memory_copy(address + word(24), place, count)
    return value_at(address)


def copy_characters(source: word, to: word, index: word) -> word:
    """Copy a whole str into one of the same or a wider kind, to an index; the index behind it."""
    count = text_length(source)
    place = place_in(to, index)
    if text_kind(to) != word(UCS4):
        memory_copy(place, source + word(24), count)
    elif text_kind(source) == word(UCS4):
        memory_copy(place, source + word(24), count * word(4))
    else:
        done = word(0)
        while done < count:
            store32(place, load8(source + word(24) + done))
            place = place + word(4)
            done = done + word(1)
    return index + count


def joined_kind(left: word, right: word) -> word:
    """The kind of two kinds together."""
    if left == word(UCS4) or right == word(UCS4):
        return word(UCS4)
    return left & right


def concat(left: str, right: str) -> str:
    """One after the other."""
    first, second = value_address(left), value_address(right)
    if text_length(first) == word(0):
        return right
    if text_length(second) == word(0):
        return left
    kind = joined_kind(text_kind(first), text_kind(second))
    address = new_text(text_length(first) + text_length(second), kind)
    copy_characters(second, address, copy_characters(first, address, word(0)))
    return value_at(address)


def join_array(parts: array[str]) -> str:
    """All of them one after the other, as f-strings do."""
    return join_between("", parts, int(array_length(parts)))


def join_between(separator: str, parts: array[str], count: int) -> str:
    """The first so many, with a separator between them."""
    if count == 0:
        return ""
    if count == 1:
        return array_get(parts, word(0))
    between = value_address(separator)
    length = wide(text_length(between)) * wide(count - 1)
    kind = text_kind(between) if text_length(between) != word(0) else word(ASCII)
    for index in range(count):
        part = value_address(array_get(parts, word(index)))
        length = length + wide(text_length(part))
        kind = joined_kind(kind, text_kind(part))
    if length > wide(LONGEST):
        raise MemoryError
    address = new_text(word(length), kind)
    at = copy_characters(value_address(array_get(parts, word(0))), address, word(0))
    for index in range(1, count):
        at = copy_characters(between, address, at)
        at = copy_characters(value_address(array_get(parts, word(index))), address, at)
    return value_at(address)


def repeated(text: str, times: int) -> str:
    """So many copies."""
    source = value_address(text)
    if times <= 0 or text_length(source) == word(0):
        return ""
    if times == 1:
        return text
    if times > LONGEST and int(text_length(source)) * times >= 1 << 63:
        raise OverflowError("repeated string is too long")
    if times > LONGEST or wide(text_length(source)) * wide(times) > wide(LONGEST):
        raise MemoryError
    address = new_text(text_length(source) * word(times), text_kind(source))
    at = word(0)
    for _ in range(times):
        at = copy_characters(source, address, at)
    return value_at(address)


def same_text(left: str, right: str) -> bool:
    """Whether two strs have the same characters."""
    if value_is(left, right):
        return True
    first, second = value_address(left), value_address(right)
    count, kind = text_length(first), text_kind(first)
    if count != text_length(second) or kind != text_kind(second):
        return False
    size = count * word(4) if kind == word(UCS4) else count
    # Taken without a look at what is left: whoever loops or calls looks, and this never raises.
    budget_set(budget_left() - wide(size >> word(2)))
    return memory_equal(first + word(24), second + word(24), size)


def compare_text(left: str, right: str) -> int:
    """Below 0, 0 or above 0, by code points."""
    first, second = value_address(left), value_address(right)
    mine, other = text_length(first), text_length(second)
    index = word(0)
    while index < mine and index < other:
        one, two = character(first, index), character(second, index)
        if one != two:
            return -1 if one < two else 1
        index = index + word(1)
    return int(mine) - int(other)


def hash_text(text: str) -> word:
    """The hash: FNV-1a over the code points, never 0; kept in the str."""
    address = value_address(text)
    known = load32(address + word(16))
    if known != word(0):
        return known
    count = text_length(address)
    budget_charge(count >> word(1))
    if text_kind(address) == word(UCS4):
        result = mixed_points(address + word(24), count)
    else:
        result = mixed_bytes(address + word(24), count)
    result = result ^ (result >> word(15))
    if result == word(0):
        result = word(1)
    if address >= heap_base():
        store32(address + word(16), result)
    return result


@nothrow
def mixed_bytes(place: word, count: word) -> word:
    """FNV-1a of characters of one byte; who calls it charges for it."""
    result = word(2166136261)
    end = place + count
    while place < end:
        result = (result ^ load8(place)) * word(16777619)
        place = place + word(1)
    return result


@nothrow
def mixed_points(place: word, count: word) -> word:
    """The same of characters of four bytes."""
    result = word(2166136261)
    end = place + count * word(4)
    while place < end:
        result = (result ^ load32(place)) * word(16777619)
        place = place + word(4)
    return result
