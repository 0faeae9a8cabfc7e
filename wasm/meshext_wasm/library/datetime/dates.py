"""date: a day of the calendar."""

from __future__ import annotations

from typing import ClassVar, NamedTuple, overload

from meshext_wasm.library.datetime import iso
from meshext_wasm.library.datetime.days import (
    LAST_DAY,
    check_date,
    date_of_number,
    number_of_day,
    number_of_week,
    week_of_number,
)
from meshext_wasm.library.datetime.deltas import timedelta
from meshext_wasm.library.datetime.writing import Shown, strftime


class IsoCalendarDate(NamedTuple):
    """A day as ISO 8601 counts weeks."""

    year: int
    week: int
    weekday: int

    def __repr__(self) -> str:
        return f"datetime.IsoCalendarDate(year={self.year}, week={self.week}, weekday={self.weekday})"


class date:  # noqa: N801  # Python's own name
    """A day."""

    min: ClassVar[date]
    max: ClassVar[date]
    resolution: ClassVar[timedelta]
    _year: int
    _month: int
    _day: int

    def __init__(self, year: int, month: int, day: int) -> None:
        check_date(year, month, day)
        self._year = year
        self._month = month
        self._day = day

    @staticmethod
    def fromordinal(n: int) -> date:
        """The day of a number; 1 is the first of January of the year 1."""
        if n < 1:
            raise ValueError("ordinal must be >= 1")
        year, month, day = date_of_number(n)
        return date(year, month, day)

    @staticmethod
    def fromisocalendar(year: int, week: int, day: int) -> date:
        """The day of a week of ISO 8601."""
        year, month, number = date_of_number(number_of_week(year, week, day))
        return date(year, month, number)

    @staticmethod
    def fromisoformat(date_string: str) -> date:
        """A day as ISO 8601 writes it."""
        try:
            if len(date_string) not in (7, 8, 10):
                raise ValueError("no date")
            year, month, day = iso.read_date(date_string)
        except ValueError:
            raise iso.bad(date_string) from None
        return date(year, month, day)

    @property
    def year(self) -> int:
        """1 to 9999."""
        return self._year

    @property
    def month(self) -> int:
        """1 to 12."""
        return self._month

    @property
    def day(self) -> int:
        """1 to 31."""
        return self._day

    def toordinal(self) -> int:
        """The number of the day."""
        return number_of_day(self._year, self._month, self._day)

    def weekday(self) -> int:
        """0 for Monday."""
        return (self.toordinal() + 6) % 7

    def isoweekday(self) -> int:
        """1 for Monday."""
        return self.weekday() + 1

    def isocalendar(self) -> IsoCalendarDate:
        """Year, week and weekday of ISO 8601."""
        year, week, weekday = week_of_number(self.toordinal(), self._year)
        return IsoCalendarDate(year, week, weekday)

    def replace(self, year: int | None = None, month: int | None = None, day: int | None = None) -> date:
        """The same with something else in it."""
        return date(
            self._year if year is None else year,
            self._month if month is None else month,
            self._day if day is None else day,
        )

    def isoformat(self) -> str:
        """`2024-02-29`."""
        return f"{self._year:04d}-{self._month:02d}-{self._day:02d}"

    def strftime(self, format: str) -> str:  # noqa: A002  # Python's own name
        """By a template."""
        return strftime(Shown(self._year, self._month, self._day), format)

    def ctime(self) -> str:
        """As C writes it."""
        shown = Shown(self._year, self._month, self._day)
        return strftime(shown, "%a %b %e %H:%M:%S ") + f"{self._year:04d}"

    def __str__(self) -> str:
        return self.isoformat()

    def __format__(self, spec: str) -> str:
        return self.strftime(spec) if spec else str(self)

    def __repr__(self) -> str:
        return f"datetime.date({self._year}, {self._month}, {self._day})"

    def __add__(self, other: timedelta) -> date:
        return day_of(self.toordinal() + other.days)

    def __radd__(self, other: timedelta) -> date:
        return self + other

    @overload
    def __sub__(self, other: date) -> timedelta: ...

    @overload
    def __sub__(self, other: timedelta) -> date: ...

    def __sub__(self, other: date | timedelta) -> timedelta | date:
        if isinstance(other, date):
            return timedelta(self.toordinal() - other.toordinal())
        return day_of(self.toordinal() - other.days)

    def __eq__(self, other: object) -> bool:
        return self.toordinal() == other.toordinal() if isinstance(other, date) else NotImplemented

    def __lt__(self, other: object) -> bool:
        return self.toordinal() < other.toordinal() if isinstance(other, date) else NotImplemented

    def __le__(self, other: object) -> bool:
        return self.toordinal() <= other.toordinal() if isinstance(other, date) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self.toordinal() > other.toordinal() if isinstance(other, date) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self.toordinal() >= other.toordinal() if isinstance(other, date) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.toordinal())


def day_of(number: int) -> date:
    """The day of a number; OverflowError outside of the calendar."""
    if number < 1 or number > LAST_DAY:
        raise OverflowError("date value out of range")
    year, month, day = date_of_number(number)
    return date(year, month, day)


date.min = date(1, 1, 1)
date.max = date(9999, 12, 31)
date.resolution = timedelta(1)
