"""Categories of characters and characters without regard to case, as CPython's `re` has them."""

from __future__ import annotations

from meshext_wasm.library.builtins.characters import (
    ALPHA,
    DECIMAL,
    DIGIT,
    LOWERED,
    NUMERIC,
    UPPERED,
    has,
    is_space,
    mapped_length,
    mapped_point,
    mapping_of,
)
from meshext_wasm.library.re.nodes import ASCII, IGNORECASE, CharSet

# Lower case characters that count as the same, and upper case ones that are not the upper case of their lower
# case; the first of each is what the others become.
SAME = (
    (0x69, 0x131, 0x130),
    (0x73, 0x17F),
    (0x6B, 0x212A),
    (0xE5, 0x212B),
    (0x3C9, 0x2126),
    (0xDF, 0x1E9E),
    (0xB5, 0x3BC),
    (0x345, 0x3B9, 0x1FBE),
    (0x390, 0x1FD3),
    (0x3B0, 0x1FE3),
    (0x3B2, 0x3D0),
    (0x3B5, 0x3F5),
    (0x3B8, 0x3D1, 0x3F4),
    (0x3BA, 0x3F0),
    (0x3C0, 0x3D6),
    (0x3C1, 0x3F1),
    (0x3C2, 0x3C3),
    (0x3C6, 0x3D5),
    (0x432, 0x1C80),
    (0x434, 0x1C81),
    (0x43E, 0x1C82),
    (0x441, 0x1C83),
    (0x442, 0x1C84, 0x1C85),
    (0x44A, 0x1C86),
    (0x463, 0x1C87),
    (0x1C88, 0xA64B),
    (0x1E61, 0x1E9B),
    (0xFB05, 0xFB06),
)


def changed(point: int, way: int) -> int:
    """A character in lower or upper case; itself where that is several."""
    mapping = mapping_of(point, way)
    return mapped_point(point, mapping, 0) if mapped_length(mapping) == 1 else point


def folded(point: int, narrow: bool) -> int:
    """What all characters become that are the same but for case; `narrow` knows ASCII letters only."""
    if point < 128 or narrow:
        return point + 32 if 65 <= point <= 90 else point
    lower = 0x69 if point == 0x130 else changed(point, LOWERED)
    for group in SAME:
        if lower in group:
            return group[0]
    return lower


def in_category(letter: str, point: int, narrow: bool) -> bool:
    """Whether a character is one of `d`, `s` or `w`; capitals mean the others."""
    kind = letter.lower()
    if kind == "d":
        found = 48 <= point <= 57 or (point > 127 and not narrow and has(point, DECIMAL))
    elif kind == "s":
        found = point == 32 or 9 <= point <= 13 or (not narrow and is_space(point))
    else:
        found = is_word(point, narrow)
    return found != (letter != kind)


def is_word(point: int, narrow: bool) -> bool:
    """Whether a character is one of words: letters, digits, and `_`."""
    if point < 128:
        return 97 <= point <= 122 or 65 <= point <= 90 or 48 <= point <= 57 or point == 95
    return not narrow and has(point, ALPHA | DECIMAL | DIGIT | NUMERIC)


def in_set(chars: CharSet, point: int, is_bytes: bool) -> bool:
    """Whether a set has a character."""
    narrow = is_bytes or chars.flags & ASCII != 0
    if chars.flags & IGNORECASE == 0:
        return holds(chars, point, narrow) != chars.negated
    return holds_any_case(chars, point, narrow) != chars.negated


def holds(chars: CharSet, point: int, narrow: bool) -> bool:
    """Whether a character is in a range or category."""
    for index in range(0, len(chars.ranges), 2):
        if chars.ranges[index] <= point <= chars.ranges[index + 1]:
            return True
    for letter in chars.categories:
        if in_category(letter, point, narrow):
            return True
    return False


def holds_any_case(chars: CharSet, point: int, narrow: bool) -> bool:
    """The same for a character or one that is the same but for case."""
    lower = folded(point, narrow)
    if holds(chars, point, narrow) or holds(chars, lower, narrow) or has_upper(chars, lower, narrow):
        return True
    if narrow:
        return False
    for group in SAME:
        if group[0] == lower:
            for each in group:
                if holds(chars, each, narrow) or has_upper(chars, each, narrow):
                    return True
    return False


def has_upper(chars: CharSet, point: int, narrow: bool) -> bool:
    """Whether the capital of a character is in a range or category."""
    if point < 128 or narrow:
        return 97 <= point <= 122 and holds(chars, point - 32, narrow)
    return holds(chars, changed(point, UPPERED), narrow)
