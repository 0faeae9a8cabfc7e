"""Reading a pattern character by character."""

from __future__ import annotations

from typing import NoReturn

from meshext_wasm.library.builtins.text import point_at
from meshext_wasm.library.re.nodes import error


class Scanner:
    """A pattern, how far it is read, and the groups that were met."""

    text: str
    original: str | bytes
    at: int
    flags: int
    groups: int
    names: dict[str, int]
    open: list[int]

    def __init__(self, pattern: str | bytes, flags: int) -> None:
        self.original = pattern
        self.text = pattern if isinstance(pattern, str) else pattern.decode("latin-1")
        self.at = 0
        self.flags = flags
        self.groups = 0
        self.names = {}
        self.open = []

    def here(self) -> str:
        """The character at hand, "" at the end."""
        return self.text[self.at] if self.at < len(self.text) else ""

    def take(self) -> str:
        """The character at hand, which is read with it."""
        found = self.here()
        self.at += 1
        return found

    def skip(self, expected: str) -> bool:
        """Go past a text, if it stands here."""
        if self.text.startswith(expected, self.at):
            self.at += len(expected)
            return True
        return False

    def fail(self, reason: str, place: int) -> NoReturn:
        """Say that this is no pattern."""
        raise error(reason, self.original, place)

    def is_bytes(self) -> bool:
        """Whether it is a pattern of bytes."""
        return isinstance(self.original, bytes)

    def take_until(self, end: str, name: str, start: int) -> str:
        """What stands before a character, which is read with it."""
        place = self.text.find(end, self.at)
        if place < 0:
            if self.at >= len(self.text):
                self.fail(f"missing {name}", self.at)
            self.fail(f"missing {end}, unterminated name", self.at)
        found = self.text[self.at : place]
        if found == "":
            self.fail(f"missing {name}", self.at)
        self.at = place + 1
        return found

    def hexadecimal(self, count: int) -> int:
        """So many hexadecimal digits; -1 where there are fewer."""
        if self.at + count > len(self.text):
            return -1
        result = 0
        for index in range(count):
            found = point_at(self.text, self.at + index)
            digit = found - 48 if 48 <= found <= 57 else (found | 32) - 87 if 97 <= found | 32 <= 102 else -1
            if digit < 0:
                return -1
            result = result * 16 + digit
        self.at += count
        return result

    def digits(self) -> str:
        """ASCII digits, as many as stand here."""
        start = self.at
        while "0" <= self.here() <= "9":
            self.at += 1
        return self.text[start : self.at]
