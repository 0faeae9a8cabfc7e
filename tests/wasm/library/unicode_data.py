"""Writes `unicode_data.py` of the run-time library from what this interpreter knows of Unicode.

`python -m tests.wasm.library.unicode_data` writes it; a test holds the file against it.
"""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

from meshext_wasm.library.builtins import characters

TARGET = Path(characters.__file__).with_name("unicode_data.py")
HEAD = '''"""What Unicode {version} says of characters, in ranges; made by tests/wasm/library/unicode_data.py.

Numbers are of 64 digits, the digit d as the character 48 + d, but 44 as `p`. RANGES: 4 digits for the first
code point and 2 for the record. RECORDS: 3 digits of properties, then 4 for each of upper, lower, title and
folded: 0x200000 + the distance, or 0x800000 + 4 * the place in MAPPED + the length.
"""

from __future__ import annotations

'''
SIMPLE, EXTENDED = 0x200000, 0x800000


def digits(number: int, count: int) -> str:
    """A number in so many digits."""
    places = [(number >> (6 * place)) & 63 for place in range(count - 1, -1, -1)]
    return "".join("p" if place == 44 else chr(48 + place) for place in places)


def is_final(text: str) -> bool:
    """Whether the sigma at the end becomes a final one."""
    return text.lower().endswith("ς")


def properties(character: str) -> int:
    """The bits that `characters` asks for."""
    first, second = is_final(character + "Σ"), is_final("A" + character + "Σ")
    bits = {
        characters.ALPHA: character.isalpha(),
        characters.DECIMAL: character.isdecimal(),
        characters.DIGIT: character.isdigit(),
        characters.NUMERIC: character.isnumeric(),
        characters.LOWER: character.islower(),
        characters.UPPER: character.isupper(),
        characters.TITLE: character.istitle() and not character.isupper(),
        characters.PRINTABLE: character.isprintable(),
        characters.NAME_START: character.isidentifier(),
        characters.NAME_PART: ("a" + character).isidentifier(),
        characters.CASED: (character + "a").title().endswith("a"),
        characters.IGNORABLE: second and not first,
    }
    return sum(bit for bit, holds in bits.items() if holds)


def mapping(character: str, mapped: str, extended: dict[str, int]) -> int:
    """The number that says what a character becomes."""
    if len(mapped) == 1:
        return SIMPLE + ord(mapped) - ord(character)
    if mapped not in extended:
        extended[mapped] = sum(map(len, extended))
    return EXTENDED + 4 * extended[mapped] + len(mapped)


def literal(name: str, text: str) -> str:
    """A constant in lines."""
    lines = [f'    b"{text[at : at + 96]}"' for at in range(0, len(text), 96)]
    return "\n".join([f"{name} = (", *lines, ")", ""])


def generated() -> str:
    """The text of the module."""
    records: dict[str, int] = {}
    extended: dict[str, int] = {}
    ranges, last = "", -1
    for point in range(sys.maxunicode + 1):
        character = chr(point)
        ways = (character.upper(), character.lower(), character.title(), character.casefold())
        numbers = [digits(mapping(character, each, extended), 4) for each in ways]
        record = digits(properties(character), 3) + "".join(numbers)
        number = records.setdefault(record, len(records))
        if number != last:
            ranges += digits(point, 4) + digits(number, 2)
            last = number
    mapped = "".join(digits(ord(each), 4) for each in "".join(extended))
    parts = (literal("RANGES", ranges), literal("RECORDS", "".join(records)), literal("MAPPED", mapped))
    return HEAD.format(version=unicodedata.unidata_version) + "".join(parts)


if __name__ == "__main__":
    TARGET.write_text(generated(), "utf-8")
