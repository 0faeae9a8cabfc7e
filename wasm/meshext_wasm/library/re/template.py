"""Templates of `sub`: text with `\\1`, `\\g<1>`, `\\g<name>` and escapes."""

from __future__ import annotations

from typing import NoReturn

from meshext_wasm.library.re.escapes import LETTERS, MEANT
from meshext_wasm.library.re.nodes import error


class Template:
    """A template taken apart: texts, and the numbers of groups that stand between them."""

    texts: list[str]
    groups: list[int]

    def __init__(self) -> None:
        self.texts = [""]
        self.groups = []

    def add_text(self, text: str) -> None:
        """More text."""
        self.texts[-1] += text

    def add_group(self, number: int) -> None:
        """A group, and a text behind it."""
        self.groups.append(number)
        self.texts.append("")


def parse_template(text: str, groups: int, names: dict[str, int]) -> Template:
    """Take a template apart."""
    result = Template()
    at = 0
    while True:
        end = text.find("\\", at)
        if end < 0:
            result.add_text(text[at:])
            return result
        result.add_text(text[at:end])
        at = take_escape(result, text, end, groups, names)


def refuse(reason: str, text: str, place: int) -> NoReturn:
    """Say that this is no template."""
    raise error(reason, text, place)


def take_escape(result: Template, text: str, start: int, groups: int, names: dict[str, int]) -> int:
    """What stands behind a backslash; where the rest begins."""
    if start + 1 >= len(text):
        refuse("bad escape (end of pattern)", text, start)
    letter = text[start + 1]
    if letter == "g":
        return take_name(result, text, start, groups, names)
    if letter == "0":
        end = start + 2
        while end < len(text) and end < start + 4 and "0" <= text[end] <= "7":
            end += 1
        result.add_text(chr(int(text[start + 1 : end], 8) & 255))
        return end
    if "1" <= letter <= "9":
        return take_number(result, text, start, groups)
    place = LETTERS.find(letter)
    if place >= 0:
        result.add_text(MEANT[place])
    elif "a" <= letter <= "z" or "A" <= letter <= "Z":
        refuse(f"bad escape \\{letter}", text, start)
    else:
        result.add_text(text[start : start + 2])
    return start + 2


def is_octal(text: str) -> bool:
    """Whether there are three octal digits."""
    if len(text) < 3:
        return False
    return "0" <= text[0] <= "7" and "0" <= text[1] <= "7" and "0" <= text[2] <= "7"


def take_number(result: Template, text: str, start: int, groups: int) -> int:
    """One or two digits of a group, or three octal ones of a character."""
    end = start + 2
    if end < len(text) and "0" <= text[end] <= "9":
        end += 1
        digits = text[start + 1 : start + 4]
        if is_octal(digits):
            value = int(digits, 8)
            if value > 0o377:
                refuse(f"octal escape value \\{digits} outside of range 0-0o377", text, start)
            result.add_text(chr(value))
            return start + 4
    number = int(text[start + 1 : end])
    if number > groups:
        refuse(f"invalid group reference {number}", text, start + 1)
    result.add_group(number)
    return end


def take_name(result: Template, text: str, start: int, groups: int, names: dict[str, int]) -> int:
    """`g<name>` or `g<1>`."""
    if start + 2 >= len(text) or text[start + 2] != "<":
        refuse("missing <", text, start + 2)
    end = text.find(">", start + 3)
    if end < 0:
        if start + 3 >= len(text):
            refuse("missing group name", text, start + 3)
        refuse("missing >, unterminated name", text, start + 3)
    name = text[start + 3 : end]
    if name == "":
        refuse("missing group name", text, start + 3)
    if name.isidentifier():
        if name not in names:
            raise IndexError(f"unknown group name {name!r}")
        result.add_group(names[name])
        return end + 1
    if not name.isdigit():
        refuse(f"bad character in group name {name!r}", text, start + 3)
    number = int(name)
    if number > groups:
        refuse(f"invalid group reference {number}", text, start + 3)
    result.add_group(number)
    return end + 1


def fill(template: Template, texts: list[object]) -> str:
    """A template with the groups of a str."""
    parts = [template.texts[0]]
    for index in range(len(template.groups)):
        found = texts[template.groups[index]]
        if isinstance(found, str):
            parts.append(found)
        elif isinstance(found, bytes):
            parts.append(found.decode("latin-1"))
        parts.append(template.texts[index + 1])
    return "".join(parts)


def expand(template: str | bytes, groups: int, names: dict[str, int], texts: list[object]) -> str | bytes:
    """Fill a template in; bytes where it is bytes."""
    if isinstance(template, str):
        return fill(parse_template(template, groups, names), texts)
    return fill(parse_template(template.decode("latin-1"), groups, names), texts).encode("latin-1")
