"""str: the class, the operators and what every object answers."""

from __future__ import annotations

from collections.abc import Iterable

from meshext_wasm.library.builtins.classes import type_name
from meshext_wasm.library.builtins.indices import (
    count_of,
    place_of,
    short_of,
    start_of,
    step_of,
    stop_of,
    times_of,
)
from meshext_wasm.library.builtins.iteration import Iterator, Sequence
from meshext_wasm.library.builtins.lists import List
from meshext_wasm.library.builtins.objects import str_of
from meshext_wasm.library.builtins.text import (
    compare_text,
    concat,
    hash_text,
    join_between,
    one_character,
    piece,
    point_at,
    repeated,
    same_text,
    text_length,
)
from meshext_wasm.library.builtins.text_builder import TextBuilder
from meshext_wasm.library.builtins.text_search import find_text
from meshext_wasm.library.raw import alternative, builtin, constructor, method, value_address, word


@builtin("str")
class Str(Sequence[str]):
    """Text: code points, lone surrogates included."""


@constructor(str)
def empty_text() -> str:
    """`str()`."""
    return ""


@constructor(str)
def text_of(value: object, /) -> str:
    """`str(value)`."""
    return str_of(value)


@method(str, "__len__")
def length_of_text(text: str) -> int:
    """`len(text)`."""
    return int(text_length(value_address(text)))


@method(str, "__bool__")
def is_text_filled(text: str) -> bool:
    """Whether there is a character."""
    return text_length(value_address(text)) != word(0)


@method(str, "__str__")
def text_itself(text: str) -> str:
    """`str(text)`."""
    return text


@method(str, "__hash__")
def hash_of_text(text: str) -> int:
    """`hash(text)`; the same in every run."""
    return int(hash_text(text))


@method(str, "__eq__")
def equal_text(text: str, other: object) -> bool:
    """`text == other`."""
    return same_text(text, other) if isinstance(other, str) else NotImplemented


@method(str, "__lt__")
def less_text(text: str, other: object) -> bool:
    """`text < other`, by code points."""
    return compare_text(text, other) < 0 if isinstance(other, str) else NotImplemented


@method(str, "__le__")
def less_equal_text(text: str, other: object) -> bool:
    """`text <= other`."""
    return compare_text(text, other) <= 0 if isinstance(other, str) else NotImplemented


@method(str, "__gt__")
def greater_text(text: str, other: object) -> bool:
    """`text > other`."""
    return compare_text(text, other) > 0 if isinstance(other, str) else NotImplemented


@method(str, "__ge__")
def greater_equal_text(text: str, other: object) -> bool:
    """`text >= other`."""
    return compare_text(text, other) >= 0 if isinstance(other, str) else NotImplemented


@method(str, "__contains__")
def contains_text(text: str, part: object) -> bool:
    """`part in text`."""
    if not isinstance(part, str):
        raise TypeError(f"'in <string>' requires string as left operand, not {type_name(part)}")
    return find_text(text, part, 0, len(text)) >= 0


@method(str, "__getitem__")
def item_of_text(text: str, index: int) -> str:
    """`text[index]`."""
    place = place_of(index, length_of_text(text), "string", "string index out of range")
    return one_character(point_at(text, place))


@method(str, "__getslice__")
def slice_of_text(text: str, start: int | None, stop: int | None, step: int | None) -> str:
    """`text[start:stop:step]`."""
    length, by = length_of_text(text), step_of(step)
    first = start_of(start, by, length)
    end = stop_of(stop, by, length)
    if by == 1:
        return piece(text, first, end)
    result = TextBuilder()
    for index in range(count_of(first, end, by)):
        result.add(point_at(text, first + index * by))
    return result.finish()


@method(str, "__iter__")
def iterate_text(text: str) -> Iterator[str]:
    """Over its characters."""
    return TextIterator(text)


@method(str, "__add__")
def add_text(text: str, other: str) -> str:
    """`text + other`."""
    if not isinstance(other, str):
        raise TypeError(f'can only concatenate str (not "{type_name(other)}") to str')
    return concat(text, other)


@method(str, "__mul__")
def multiply_text(text: str, times: int) -> str:
    """`text * times`."""
    return repeated(text, times_of(times))


@method(str, "__rmul__")
def multiply_text_reflected(text: str, times: int) -> str:
    """`times * text`."""
    return repeated(text, times_of(times))


@method(str)
def join(text: str, parts: Iterable[str], /) -> str:
    """The parts with this text between them."""
    items = List(parts)
    for index in range(items.length):
        check_part(index, items[index])
    return join_between(text, items.items, items.length)


def check_part(index: int, part: object) -> None:
    """Refuse to join what is no str."""
    if not isinstance(part, str):
        raise TypeError(f"sequence item {index}: expected str instance, {type_name(part)} found")


class TextIterator(Iterator[str]):
    """Over the characters of a str."""

    text: str
    index: int

    def __init__(self, text: str) -> None:
        self.text = text
        self.index = 0

    def advance(self) -> bool:
        """Move to the next character."""
        if self.index >= len(self.text):
            return False
        self.current = one_character(point_at(self.text, self.index))
        self.index += 1
        return True


@alternative("ord")
def ord_of(character: str, /) -> int:
    """`ord(character)`."""
    if len(character) != 1:
        raise TypeError(f"ord() expected a character, but string of length {len(character)} found")
    return point_at(character, 0)


@alternative("chr")
def chr_of(point: int, /) -> str:
    """`chr(point)`."""
    code = short_of(point)
    if code < 0 or code > 0x10FFFF:
        raise ValueError("chr() arg not in range(0x110000)")
    return one_character(code)
