"""str: what its characters are."""

from __future__ import annotations

from meshext_wasm.library.builtins.characters import (
    ALPHA,
    DECIMAL,
    DIGIT,
    LOWER,
    NAME_PART,
    NAME_START,
    NUMERIC,
    PRINTABLE,
    TITLE,
    UPPER,
    has,
    is_space,
)
from meshext_wasm.library.builtins.text import ASCII, point_at, text_kind
from meshext_wasm.library.raw import method, value_address, word


def all_have(text: str, properties: int) -> bool:
    """Whether there are characters and each has one of the properties."""
    for index in range(len(text)):
        if not has(point_at(text, index), properties):
            return False
    return len(text) > 0


@method(str)
def isalpha(text: str, /) -> bool:
    """Letters only."""
    return all_have(text, ALPHA)


@method(str)
def isalnum(text: str, /) -> bool:
    """Letters and numbers only."""
    return all_have(text, ALPHA | DECIMAL | DIGIT | NUMERIC)


@method(str)
def isdecimal(text: str, /) -> bool:
    """Decimal digits only."""
    return all_have(text, DECIMAL)


@method(str)
def isdigit(text: str, /) -> bool:
    """Digits only, such as superscript ones too."""
    return all_have(text, DIGIT)


@method(str)
def isnumeric(text: str, /) -> bool:
    """Numbers only, such as fractions too."""
    return all_have(text, NUMERIC)


@method(str)
def isspace(text: str, /) -> bool:
    """Spaces only."""
    for index in range(len(text)):
        if not is_space(point_at(text, index)):
            return False
    return len(text) > 0


@method(str)
def isascii(text: str, /) -> bool:
    """ASCII only; the empty text too."""
    return text_kind(value_address(text)) == word(ASCII)


@method(str)
def isprintable(text: str, /) -> bool:
    """Nothing that repr escapes; the empty text too."""
    return len(text) == 0 or all_have(text, PRINTABLE)


@method(str)
def islower(text: str, /) -> bool:
    """Lower case somewhere and no other case anywhere."""
    return is_cased_only(text, LOWER, UPPER | TITLE)


@method(str)
def isupper(text: str, /) -> bool:
    """Upper case somewhere and no other case anywhere."""
    return is_cased_only(text, UPPER, LOWER | TITLE)


def is_cased_only(text: str, wanted: int, other: int) -> bool:
    """Whether one case is there and the others are not."""
    found = False
    for index in range(len(text)):
        point = point_at(text, index)
        if has(point, other):
            return False
        if has(point, wanted):
            found = True
    return found


@method(str)
def istitle(text: str, /) -> bool:
    """Upper or title case at the beginning of each word, lower case inside."""
    found, inside = False, False
    for index in range(len(text)):
        point = point_at(text, index)
        if has(point, UPPER | TITLE):
            if inside:
                return False
            inside, found = True, True
        elif has(point, LOWER):
            if not inside:
                return False
            inside, found = True, True
        else:
            inside = False
    return found


@method(str)
def isidentifier(text: str, /) -> bool:
    """Whether it could be a name of a program."""
    if len(text) == 0 or not has(point_at(text, 0), NAME_START):
        return False
    return all_have(text, NAME_PART)
