"""Reading plain data that a stranger may have written: every mistake is kept with its path."""

from __future__ import annotations

import math
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from meshext.printable import printable

T = TypeVar("T")

MOST_MISTAKES = 20  # kept of one line
SHOWN = 60  # characters of a value in a mistake


class Mistakes:
    """What is wrong with one line; each is `path: what is there; what to write`."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, path: str, text: str) -> None:
        """One more."""
        if len(self.found) < MOST_MISTAKES:
            self.found.append(f"{path or 'the line'}: {text}")


class Place:
    """A value at a path. Each reader gives a value of its type, some empty one after a mistake."""

    __slots__ = ("mistakes", "path", "value")

    def __init__(self, value: object, path: str, mistakes: Mistakes) -> None:
        self.value = value
        self.path = path
        self.mistakes = mistakes

    def refuse(self, wanted: str) -> None:
        """Note that something else was expected here."""
        self.mistakes.add(self.path, f"{shown(self.value)} is not {wanted}")

    def text(self, wanted: str = "a text") -> str:
        """A string."""
        if isinstance(self.value, str):
            return self.value
        self.refuse(wanted)
        return ""

    def one_of(self, names: Sequence[str]) -> str:
        """One of those strings."""
        if isinstance(self.value, str) and self.value in names:
            return self.value
        self.refuse(f"one of {', '.join(names)}")
        return names[0]

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            self.refuse("true or false")
        return self.value is True

    def whole(self, least: int = 0, most: int = 1 << 62) -> int:
        """A whole number in that range."""
        if isinstance(self.value, int) and not isinstance(self.value, bool) and least <= self.value <= most:
            return self.value
        bounds = f"{least} or more" if most == 1 << 62 else f"from {least} to {most}"
        self.refuse(f"a whole number, {bounds}")
        return least

    def number(self) -> float:
        """A number that is not negative."""
        value = self.value
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e15:
            return float(value)
        self.refuse("a number, 0 or more")
        return 0.0

    def items(self, wanted: str = "a list", size: int | None = None) -> list[Place]:
        """The places of a list."""
        value = self.value
        if not isinstance(value, list) or (size is not None and len(value) != size):
            self.refuse(wanted)
            return []
        return [Place(item, f"{self.path}[{at}]", self.mistakes) for at, item in enumerate(value)]

    def each(self, read: Callable[[Place], T], wanted: str = "a list") -> tuple[T, ...]:
        """Every item of a list, read."""
        return tuple([read(item) for item in self.items(wanted)])

    def mapping(self) -> dict[str, Place]:
        """The places of an object, whatever its keys."""
        if not isinstance(self.value, dict):
            self.refuse("an object")
            return {}
        front = f"{self.path}." if self.path else ""
        return {key: Place(item, front + printable(key), self.mistakes) for key, item in self.value.items()}

    def fields(self, needed: str, optional: str = "") -> dict[str, Place]:
        """The places of an object that has these keys (words with spaces between) and no others."""
        found = self.mapping()
        must, may = needed.split(), optional.split()
        if isinstance(self.value, dict):
            for key in (key for key in must if key not in found):
                self.mistakes.add(self.path, f"the key {key!r} is missing")
            for key in (key for key in found if key not in must and key not in may):
                keys = ", ".join([*must, *may])
                self.mistakes.add(self.path, f"the key {shorten(key)!r} is unknown; the keys are {keys}")
        return found | {key: Place(None, key, Mistakes()) for key in must if key not in found}

    def base64(self) -> bytes:
        """Bytes as base64."""
        try:
            return b64decode(self.text("base64"), validate=True)
        except (NotBase64, ValueError):
            self.refuse("base64 (RFC 4648 section 4)")
            return b""

    def json(self, depth: int) -> Any:
        """Plain data, nested at most so deep."""
        if deeper(self.value, depth):
            self.refuse(f"nested {depth} deep at most")
            return None
        return self.value


def deeper(value: object, depth: int) -> bool:
    """Whether the value is nested deeper."""
    if not isinstance(value, dict | list):
        return False
    items = value.values() if isinstance(value, dict) else value
    return depth == 0 or any(deeper(item, depth - 1) for item in items)


def shown(value: object) -> str:
    """A value in a message, in few characters."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else f"a list of {len(value)}"
    if isinstance(value, float) and not math.isfinite(value):
        return "a number that is not finite"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(shorten(value)) if isinstance(value, str) else shorten(str(value))


def shorten(text: str) -> str:
    """The text, cut where it is long."""
    line = printable(text)
    return line if len(line) <= SHOWN else line[: SHOWN - 3] + "..."
