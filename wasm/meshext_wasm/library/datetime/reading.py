"""strptime: texts read by a template, with the names of the C locale."""

from __future__ import annotations

from functools import lru_cache

from meshext_wasm.library import re
from meshext_wasm.library.datetime.days import date_of_number, number_of_day
from meshext_wasm.library.datetime.deltas import SECOND, timedelta
from meshext_wasm.library.datetime.writing import MONTHS
from meshext_wasm.library.datetime.zones import timezone

PARTS = {
    "d": r"(?P<d>3[0-1]|[1-2]\d|0[1-9]|[1-9]| [1-9])",
    "f": r"(?P<f>[0-9]{1,6})",
    "H": r"(?P<H>2[0-3]|[0-1]\d|\d)",
    "I": r"(?P<I>1[0-2]|0[1-9]|[1-9])",
    "j": r"(?P<j>36[0-6]|3[0-5]\d|[1-2]\d\d|0[1-9]\d|00[1-9]|[1-9]\d|0[1-9]|[1-9])",
    "m": r"(?P<m>1[0-2]|0[1-9]|[1-9])",
    "M": r"(?P<M>[0-5]\d|\d)",
    "S": r"(?P<S>6[0-1]|[0-5]\d|\d)",
    "w": r"(?P<w>[0-6])",
    "u": r"(?P<u>[1-7])",
    "y": r"(?P<y>\d\d)",
    "Y": r"(?P<Y>\d\d\d\d)",
    "z": r"(?P<z>[+-]\d\d:?[0-5]\d(:?[0-5]\d(\.\d{1,6})?)?|(?-i:Z))",
    "A": "(?P<A>wednesday|thursday|saturday|tuesday|monday|friday|sunday)",
    "a": "(?P<a>mon|tue|wed|thu|fri|sat|sun)",
    "B": "(?P<B>september|february|november|december|january|october|august|march|april|june|july|may)",
    "b": "(?P<b>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)",
    "p": "(?P<p>am|pm)",
    "Z": "(?P<Z>utc|gmt)",
    "%": "%",
}
NOT_READ = "UWGVcxX"
"""What CPython reads too."""


class Read:
    """What a text says; what it does not say is of the first of January 1900."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    microsecond: int
    zone: timezone | None

    def __init__(self) -> None:
        self.year = 1900
        self.month = 1
        self.day = 1
        self.hour = 0
        self.minute = 0
        self.second = 0
        self.microsecond = 0
        self.zone = None


@lru_cache(maxsize=32)
def pattern_of(template: str) -> re.Pattern[str]:
    """The pattern of a template."""
    text = re.sub(r"([\\.^$*+?\(\){}\[\]|])", r"\\\1", template)
    text = re.sub(r"\s+", lambda _: r"\s+", text)
    made = ""
    at = 0
    while True:
        found = text.find("%", at)
        if found < 0:
            return re.compile(made + text[at:], re.IGNORECASE)
        letter = text[found + 1 : found + 2]
        made += text[at:found] + part_of(letter, template)
        at = found + 2


def part_of(letter: str, template: str) -> str:
    """The pattern of one letter."""
    if letter == "":
        raise ValueError(f"stray % in format '{template}'")
    if letter in PARTS:
        return PARTS[letter]
    if letter in NOT_READ:
        raise ValueError(f"strptime: %{letter} is not supported; write the letters that it stands for")
    bad = "%" if letter == "\\" else letter
    raise ValueError(f"'{bad}' is a bad directive in format '{template}'")


def strptime(text: str, template: str) -> Read:
    """What a text says; ValueError where it is not of that form."""
    found = pattern_of(template).match(text)
    if found is None:
        raise ValueError(f"time data {text!r} does not match format {template!r}")
    if found.end() != len(text):
        raise ValueError(f"unconverted data remains: {text[found.end() :]}")
    said: dict[str, str] = {}
    for name, value in found.groupdict().items():
        said[name] = value or ""
    result = Read()
    take_clock(result, said)
    take_day(result, said)
    if "z" in said:
        result.zone = zone_of(said["z"], said.get("Z", ""))
    return result


def take_clock(result: Read, said: dict[str, str]) -> None:
    """The time of day."""
    for letter in said:
        if letter == "H":
            result.hour = int(said["H"])
        elif letter == "I":
            half = said.get("p", "").lower()
            result.hour = int(said["I"]) % 12 + (12 if half == "pm" else 0)
    result.minute = int(said.get("M", "0"))
    result.second = int(said.get("S", "0"))
    if "f" in said:
        result.microsecond = int(said["f"].ljust(6, "0"))


def take_day(result: Read, said: dict[str, str]) -> None:
    """The date."""
    year = -1
    for letter in said:
        if letter == "Y":
            year = int(said["Y"])
        elif letter == "y":
            short = int(said["y"])
            year = short + (2000 if short <= 68 else 1900)
        elif letter == "m":
            result.month = int(said["m"])
        elif letter == "b" or letter == "B":
            result.month = number_of_name(MONTHS, said[letter])
        elif letter == "d":
            result.day = int(said["d"])
    if year >= 0:
        result.year = year
    if "j" in said:
        first = number_of_day(result.year, 1, 1)
        result.year, result.month, result.day = date_of_number(first + int(said["j"]) - 1)


def number_of_name(names: tuple[str, ...], name: str) -> int:
    """The number of a name, or of its beginning."""
    for index in range(len(names)):
        if names[index].lower().startswith(name.lower()):
            return index + 1
    raise ValueError(name)


def zone_of(text: str, name: str) -> timezone:
    """`+01:00`, `-0530` or `Z`."""
    offset = timedelta(0) if text == "Z" else offset_of(text)
    if name:
        return timezone(offset, name)
    return timezone(offset) if offset else timezone.utc


def offset_of(text: str) -> timedelta:
    """How far from UTC."""
    plain = text
    if plain[3] == ":":
        plain = plain[:3] + plain[4:]
        if len(plain) > 5:
            if plain[5] != ":":
                raise ValueError(f"Inconsistent use of : in {text}")
            plain = plain[:5] + plain[6:]
    minutes = int(plain[1:3]) * 60 + int(plain[3:5])
    seconds = int(plain[5:7] or "0")
    rest = int(plain[8:].ljust(6, "0"))
    distance = (minutes * 60 + seconds) * SECOND + rest
    return timedelta(0, 0, -distance if plain[0] == "-" else distance)
