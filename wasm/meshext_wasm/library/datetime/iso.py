"""Dates and times as ISO 8601 writes them: read and written."""

from __future__ import annotations

from meshext_wasm.library.datetime.days import date_of_number, number_of_week
from meshext_wasm.library.datetime.deltas import timedelta
from meshext_wasm.library.datetime.zones import timezone

TENS = (1000000, 100000, 10000, 1000, 100, 10, 1)


def bad(text: str) -> ValueError:
    """What is said of a text that is none."""
    return ValueError(f"Invalid isoformat string: {text!r}")


def digits(text: str, start: int, count: int) -> int:
    """So many ASCII digits at a place as a number; ValueError where there are others or too few."""
    part = text[start : start + count]
    if len(part) != count or not part.isascii() or not part.isdigit():
        raise ValueError("not so many digits")
    return int(part)


def separator(text: str) -> int:
    """Where the date of a date and a time ends. The text has 7 characters at least."""
    if len(text) == 7:
        return 7
    if text[4] == "-":
        if text[5] != "W":
            return 10
        if len(text) > 8 and text[8] == "-":
            if len(text) == 9:
                raise ValueError("no day of the week")
            return 8 if len(text) > 10 and "0" <= text[10] <= "9" else 10
        return 8
    if text[4] != "W":
        return 8
    at = 7
    while at < len(text) and "0" <= text[at] <= "9":
        at += 1
    return at if at < 9 else 7 if at % 2 == 0 else 8


def read_date(text: str) -> tuple[int, int, int]:
    """Year, month and day; ValueError where it is no date. As in CPython, more may follow."""
    year = digits(text, 0, 4)
    at = 4
    dashed = text[at : at + 1] == "-"
    if dashed:
        at += 1
    if text[at : at + 1] == "W":
        week = digits(text, at + 1, 2)
        at += 3
        weekday = 1
        if at < len(text):
            weekday = digits(text, after_dash(text, at, dashed), 1)
        return date_of_number(number_of_week(year, week, weekday))
    month = digits(text, at, 2)
    at = after_dash(text, at + 2, dashed)
    return year, month, digits(text, at, 2)


def after_dash(text: str, at: int, dashed: bool) -> int:
    """Behind the dash, where there is to be one."""
    if (text[at : at + 1] == "-") != dashed:
        raise ValueError("Inconsistent use of dash separator")
    return at + 1 if dashed else at


class Clock:
    """What was read of a time of day."""

    hour: int
    minute: int
    second: int
    microsecond: int
    offset: timedelta | None
    has_rest: bool
    """Whether something stands behind it."""

    def __init__(self) -> None:
        self.hour = 0
        self.minute = 0
        self.second = 0
        self.microsecond = 0
        self.offset = None
        self.has_rest = False

    def take(self, part: int, number: int) -> None:
        """The hour, the minute or the second."""
        if part == 0:
            self.hour = number
        elif part == 1:
            self.minute = number
        else:
            self.second = number

    def since_midnight(self) -> timedelta:
        """How long after midnight."""
        return timedelta(0, self.second, self.microsecond, 0, self.minute, self.hour)

    def zone(self) -> timezone | None:
        """The zone, if there is one; ValueError for one that is too far away."""
        offset = self.offset
        if offset is None:
            return None
        return timezone(offset) if offset else timezone.utc


def read_time(text: str) -> Clock:
    """A time of day, with its zone if there is one; ValueError where it is none.

    As CPython's, it lets pass some of what stands between the time and a zone.
    """
    if text == "" or text[0] in "+-Z":
        raise ValueError("no time")
    end = 1
    while end < len(text) and text[end] not in "+-Z":
        end += 1
    result = read_clock(text, 0, end)
    if end == len(text):
        if result.has_rest:
            raise ValueError("more than a time")
        return result
    if text[end] == "Z":
        if end + 1 != len(text):
            raise ValueError("more than a time")
        result.offset = timedelta(0)
        return result
    distance = read_clock(text, end + 1, len(text))
    if distance.has_rest:
        raise ValueError("more than a zone")
    offset = distance.since_midnight()
    result.offset = -offset if text[end] == "-" else offset
    return result


def read_clock(text: str, at: int, end: int) -> Clock:
    """`12`, `12:30`, `1230`, `12:30:15.25` and the like, up to a place."""
    result = Clock()
    colon = True
    for part in range(3):
        result.take(part, digits(text, at, 2))
        mark = text[at + 2 : at + 3]
        at += 3
        if part == 0:
            colon = mark == ":"
        if at >= end:
            result.has_rest = mark != ""
            return result
        if mark == "." or mark == ",":
            break
        if not colon:
            at -= 1
        elif mark != ":":
            raise ValueError("Malformed time separator")
    count = min(end - at, 6)
    result.microsecond = digits(text, at, count) * TENS[count]
    at += count
    while at < len(text) and "0" <= text[at] <= "9":
        at += 1
    result.has_rest = at < len(text)
    return result


def clock_text(hour: int, minute: int, second: int, microsecond: int, timespec: str) -> str:
    """A time of day, as exact as `timespec` says."""
    if timespec == "auto":
        timespec = "microseconds" if microsecond != 0 else "seconds"
    if timespec == "hours":
        return f"{hour:02d}"
    if timespec == "minutes":
        return f"{hour:02d}:{minute:02d}"
    text = f"{hour:02d}:{minute:02d}:{second:02d}"
    if timespec == "seconds":
        return text
    if timespec == "milliseconds":
        return f"{text}.{microsecond // 1000:03d}"
    if timespec == "microseconds":
        return f"{text}.{microsecond:06d}"
    raise ValueError("Unknown timespec value")
