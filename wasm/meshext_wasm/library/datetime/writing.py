"""strftime: what its letters stand for, with the names of the C locale."""

from __future__ import annotations

from meshext_wasm.library.datetime.days import days_before_month, number_of_day, week_of_number
from meshext_wasm.library.datetime.zones import offset_text, timezone

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
MEANT = {
    "c": "%a %b %e %H:%M:%S %Y",
    "D": "%m/%d/%y",
    "F": "%Y-%m-%d",
    "h": "%b",
    "R": "%H:%M",
    "r": "%I:%M:%S %p",
    "T": "%H:%M:%S",
    "X": "%H:%M:%S",
    "x": "%m/%d/%y",
}
"""Letters that stand for several others."""


class Shown:
    """A date and a time of day as `strftime` sees them; `zone` is None where there is none."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    microsecond: int
    zone: timezone | None

    def __init__(self, year: int, month: int, day: int) -> None:
        self.year = year
        self.month = month
        self.day = day
        self.hour = 0
        self.minute = 0
        self.second = 0
        self.microsecond = 0
        self.zone = None

    def at(self, hour: int, minute: int, second: int, microsecond: int, zone: timezone | None) -> Shown:
        """The same at a time of day."""
        self.hour = hour
        self.minute = minute
        self.second = second
        self.microsecond = microsecond
        self.zone = zone
        return self

    def weekday(self) -> int:
        """0 for Monday."""
        return (number_of_day(self.year, self.month, self.day) + 6) % 7

    def day_of_year(self) -> int:
        """1 for the first of January."""
        return days_before_month(self.year, self.month) + self.day

    def half_hour(self) -> int:
        """The hour of twelve."""
        return (self.hour + 11) % 12 + 1


def strftime(shown: Shown, template: str) -> str:
    """The template with each letter behind `%` replaced; ValueError for a letter that is not known here."""
    parts: list[str] = []
    at = 0
    while True:
        found = template.find("%", at)
        if found < 0 or found + 1 == len(template):
            parts.append(template[at:])
            return "".join(parts)
        parts.append(template[at:found])
        letter = template[found + 1]
        if letter in MEANT:
            parts.append(strftime(shown, MEANT[letter]))
        else:
            parts.append(write(shown, letter))
        at = found + 2


def write(shown: Shown, letter: str) -> str:
    """What one letter stands for."""
    if letter in "aAbBpPZzntu%":
        return write_words(shown, letter)
    if letter in "YGCgyeklsV":
        return write_years(shown, letter)
    number, width = number_of(shown, letter)
    return f"{number:0{width}d}"


def write_words(shown: Shown, letter: str) -> str:
    """Names and signs."""
    weekday = WEEKDAYS[shown.weekday()]
    month = MONTHS[shown.month - 1]
    zone = shown.zone
    if letter == "a" or letter == "A":
        return weekday[:3] if letter == "a" else weekday
    if letter == "b" or letter == "B":
        return month[:3] if letter == "b" else month
    if letter == "p" or letter == "P":
        half = "AM" if shown.hour < 12 else "PM"
        return half if letter == "p" else half.lower()
    if letter == "Z":
        return "" if zone is None else zone.tzname(None)
    if letter == "z":
        return "" if zone is None else offset_text(zone.utcoffset(None), "")
    if letter == "u":
        return str(shown.weekday() + 1)
    return "%" if letter == "%" else "\n" if letter == "n" else "\t"


def write_years(shown: Shown, letter: str) -> str:
    """Years and weeks, and numbers with blanks before them."""
    if letter in "ekl":
        number = shown.day if letter == "e" else shown.hour if letter == "k" else shown.half_hour()
        return f"{number:2d}"
    if letter == "Y" or letter == "y" or letter == "C":
        year = shown.year
        return str(year) if letter == "Y" else f"{year % 100:02d}" if letter == "y" else str(year // 100)
    if letter == "s":
        raise ValueError("strftime: %s is not supported; write int(....timestamp())")
    year, week, _ = week_of_number(number_of_day(shown.year, shown.month, shown.day), shown.year)
    return f"{week:02d}" if letter == "V" else str(year) if letter == "G" else f"{year % 100:02d}"


def number_of(shown: Shown, letter: str) -> tuple[int, int]:
    """The number that a letter stands for, and how many digits it has at least."""
    if letter == "d":
        return shown.day, 2
    if letter == "m":
        return shown.month, 2
    if letter == "H":
        return shown.hour, 2
    if letter == "I":
        return shown.half_hour(), 2
    if letter == "M":
        return shown.minute, 2
    if letter == "S":
        return shown.second, 2
    if letter == "f":
        return shown.microsecond, 6
    if letter == "j":
        return shown.day_of_year(), 3
    if letter == "w":
        return (shown.weekday() + 1) % 7, 1
    if letter == "U":
        return (shown.day_of_year() + 6 - (shown.weekday() + 1) % 7) // 7, 2
    if letter == "W":
        return (shown.day_of_year() + 6 - shown.weekday()) // 7, 2
    raise ValueError(f"strftime: %{letter} is not supported")
