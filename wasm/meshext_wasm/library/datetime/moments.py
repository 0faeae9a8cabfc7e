"""datetime: a day and a time of day, with a zone or without. Local time is UTC."""

from __future__ import annotations

from typing import ClassVar, overload

from meshext_wasm.library.datetime import clocks, dates, iso
from meshext_wasm.library.datetime.days import (
    EPOCH,
    LAST_DAY,
    check_date,
    check_time,
    date_of_number,
    number_of_day,
    number_of_week,
)
from meshext_wasm.library.datetime.deltas import DAY, SECOND, timedelta, whole
from meshext_wasm.library.datetime.reading import strptime
from meshext_wasm.library.datetime.writing import Shown, strftime
from meshext_wasm.library.datetime.zones import offset_text, timezone
from meshext_wasm.library.time import time_ns


class datetime:  # noqa: N801  # Python's own name
    """A moment, where there is a zone; else what a calendar and a clock show."""

    min: ClassVar[datetime]
    max: ClassVar[datetime]
    resolution: ClassVar[timedelta]
    _year: int
    _month: int
    _day: int
    _hour: int
    _minute: int
    _second: int
    _microsecond: int
    _zone: timezone | None

    def __init__(
        self,
        year: int,
        month: int,
        day: int,
        hour: int = 0,
        minute: int = 0,
        second: int = 0,
        microsecond: int = 0,
        tzinfo: timezone | None = None,
    ) -> None:
        check_date(year, month, day)
        check_time(hour, minute, second, microsecond)
        self._year = year
        self._month = month
        self._day = day
        self._hour = hour
        self._minute = minute
        self._second = second
        self._microsecond = microsecond
        self._zone = tzinfo

    @staticmethod
    def now(tz: timezone) -> datetime:
        """This moment in a zone."""
        return moment(EPOCH * DAY + time_ns() // 1000 + whole(tz.utcoffset(None)), tz)

    @staticmethod
    def utcnow() -> datetime:
        """What a clock in UTC shows."""
        return moment(EPOCH * DAY + time_ns() // 1000, None)

    @staticmethod
    def fromtimestamp(timestamp: float, tz: timezone) -> datetime:
        """The moment so many seconds after the beginning of 1970."""
        return moment(since_epoch(timestamp), timezone.utc).astimezone(tz)

    @staticmethod
    def utcfromtimestamp(t: float) -> datetime:
        """What a clock in UTC showed then."""
        return moment(since_epoch(t), None)

    @staticmethod
    def fromordinal(n: int) -> datetime:
        """Midnight of the day of a number."""
        day = dates.date.fromordinal(n)
        return datetime(day.year, day.month, day.day)

    @staticmethod
    def fromisocalendar(year: int, week: int, day: int) -> datetime:
        """Midnight of the day of a week of ISO 8601."""
        year, month, number = date_of_number(number_of_week(year, week, day))
        return datetime(year, month, number)

    @staticmethod
    def fromisoformat(date_string: str) -> datetime:
        """A date, or date and time, as ISO 8601 writes them."""
        try:
            if len(date_string) < 7:
                raise ValueError("too short")
            end = iso.separator(date_string)
            year, month, day = iso.read_date(date_string[:end])
            at = iso.read_time(date_string[end + 1 :]) if end < len(date_string) else iso.Clock()
        except ValueError:
            raise iso.bad(date_string) from None
        return datetime(year, month, day, at.hour, at.minute, at.second, at.microsecond, at.zone())

    @staticmethod
    def strptime(date_string: str, format: str) -> datetime:  # noqa: A002  # Python's own name
        """What a text says by a template."""
        read = strptime(date_string, format)
        numbers = read.hour, read.minute, read.second, read.microsecond
        return datetime(read.year, read.month, read.day, *numbers, read.zone)

    @staticmethod
    def combine(date: dates.date, time: clocks.time, tzinfo: timezone | bool | None = True) -> datetime:
        """A day and a time of day; its zone unless one is given."""
        zone = time.tzinfo if isinstance(tzinfo, bool) else tzinfo
        return datetime(
            date.year, date.month, date.day, time.hour, time.minute, time.second, time.microsecond, zone
        )

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

    @property
    def hour(self) -> int:
        """0 to 23."""
        return self._hour

    @property
    def minute(self) -> int:
        """0 to 59."""
        return self._minute

    @property
    def second(self) -> int:
        """0 to 59."""
        return self._second

    @property
    def microsecond(self) -> int:
        """0 to 999999."""
        return self._microsecond

    @property
    def tzinfo(self) -> timezone | None:
        """The zone, if there is one."""
        return self._zone

    @property
    def fold(self) -> int:
        """0: no zone that is there has an hour twice."""
        return 0

    def utcoffset(self) -> timedelta | None:
        """How far the zone is from UTC."""
        zone = self._zone
        return None if zone is None else zone.utcoffset(self)

    def tzname(self) -> str | None:
        """The zone's name."""
        zone = self._zone
        return None if zone is None else zone.tzname(self)

    def dst(self) -> timedelta | None:
        """Nothing is known of summer time."""
        return None

    def date(self) -> dates.date:
        """The day."""
        return dates.date(self._year, self._month, self._day)

    def time(self) -> clocks.time:
        """The time of day, without the zone."""
        return clocks.time(self._hour, self._minute, self._second, self._microsecond)

    def timetz(self) -> clocks.time:
        """The time of day, with the zone."""
        return clocks.time(self._hour, self._minute, self._second, self._microsecond, self._zone)

    def toordinal(self) -> int:
        """The number of the day."""
        return number_of_day(self._year, self._month, self._day)

    def weekday(self) -> int:
        """0 for Monday."""
        return (self.toordinal() + 6) % 7

    def isoweekday(self) -> int:
        """1 for Monday."""
        return self.weekday() + 1

    def isocalendar(self) -> dates.IsoCalendarDate:
        """Year, week and weekday of ISO 8601."""
        return self.date().isocalendar()

    def timestamp(self) -> float:
        """Seconds since the beginning of 1970; without a zone as if it were UTC."""
        since = place(self) - EPOCH * DAY
        if self._zone is not None:
            return since / SECOND
        return since // SECOND + self._microsecond / 1e6

    def replace(
        self,
        year: int | None = None,
        month: int | None = None,
        day: int | None = None,
        hour: int | None = None,
        minute: int | None = None,
        second: int | None = None,
        microsecond: int | None = None,
        tzinfo: timezone | bool | None = True,
    ) -> datetime:
        """The same with something else in it."""
        return datetime(
            self._year if year is None else year,
            self._month if month is None else month,
            self._day if day is None else day,
            self._hour if hour is None else hour,
            self._minute if minute is None else minute,
            self._second if second is None else second,
            self._microsecond if microsecond is None else microsecond,
            self._zone if isinstance(tzinfo, bool) else tzinfo,
        )

    def astimezone(self, tz: timezone) -> datetime:
        """The same moment in another zone; without a zone as if it were UTC."""
        return moment(place(self) + whole(tz.utcoffset(None)), tz)

    def isoformat(self, sep: str = "T", timespec: str = "auto") -> str:
        """`2024-02-29T12:30:15.000250+01:00`."""
        if len(sep) != 1:
            raise TypeError("isoformat() argument 1 must be a unicode character, not str")
        day = f"{self._year:04d}-{self._month:02d}-{self._day:02d}"
        text = iso.clock_text(self._hour, self._minute, self._second, self._microsecond, timespec)
        zone = self._zone
        return f"{day}{sep}{text}{'' if zone is None else offset_text(zone.utcoffset(None), ':')}"

    def strftime(self, format: str) -> str:  # noqa: A002  # Python's own name
        """By a template."""
        shown = Shown(self._year, self._month, self._day)
        shown.at(self._hour, self._minute, self._second, self._microsecond, self._zone)
        return strftime(shown, format)

    def ctime(self) -> str:
        """As C writes it."""
        return self.strftime("%a %b %e %H:%M:%S ") + f"{self._year:04d}"

    def __str__(self) -> str:
        return self.isoformat(" ")

    def __format__(self, spec: str) -> str:
        return self.strftime(spec) if spec else str(self)

    def __repr__(self) -> str:
        numbers = [self._year, self._month, self._day, self._hour, self._minute]
        if self._second != 0 or self._microsecond != 0:
            numbers.append(self._second)
        if self._microsecond != 0:
            numbers.append(self._microsecond)
        zone = f", tzinfo={self._zone!r}" if self._zone is not None else ""
        return f"datetime.datetime({', '.join([str(each) for each in numbers])}{zone})"

    def __add__(self, other: timedelta) -> datetime:
        return moment(shown_place(self) + whole(other), self._zone)

    def __radd__(self, other: timedelta) -> datetime:
        return self + other

    @overload
    def __sub__(self, other: datetime) -> timedelta: ...

    @overload
    def __sub__(self, other: timedelta) -> datetime: ...

    def __sub__(self, other: datetime | timedelta) -> timedelta | datetime:
        if isinstance(other, timedelta):
            return moment(shown_place(self) - whole(other), self._zone)
        if (self._zone is None) != (other._zone is None):
            raise TypeError("can't subtract offset-naive and offset-aware datetimes")
        return timedelta(0, 0, place(self) - place(other))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, datetime):
            return NotImplemented
        return (self._zone is None) == (other._zone is None) and place(self) == place(other)

    def __lt__(self, other: object) -> bool:
        return difference(self, other) < 0 if isinstance(other, datetime) else NotImplemented

    def __le__(self, other: object) -> bool:
        return difference(self, other) <= 0 if isinstance(other, datetime) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return difference(self, other) > 0 if isinstance(other, datetime) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return difference(self, other) >= 0 if isinstance(other, datetime) else NotImplemented

    def __hash__(self) -> int:
        return hash(place(self))


def shown_place(given: datetime) -> int:
    """Microseconds of what calendar and clock show, since the day before the first one."""
    seconds = (given.hour * 60 + given.minute) * 60 + given.second
    return given.toordinal() * DAY + seconds * SECOND + given.microsecond


def place(given: datetime) -> int:
    """The same in UTC where there is a zone."""
    offset = given.utcoffset()
    return shown_place(given) - (0 if offset is None else whole(offset))


def difference(one: datetime, other: datetime) -> int:
    """How much later one is; TypeError where only one has a zone."""
    if (one.tzinfo is None) != (other.tzinfo is None):
        raise TypeError("can't compare offset-naive and offset-aware datetimes")
    return place(one) - place(other)


def moment(microseconds: int, zone: timezone | None) -> datetime:
    """What calendar and clock show, by its place; OverflowError outside of the calendar."""
    number, rest = divmod(microseconds, DAY)
    if number < 1 or number > LAST_DAY:
        raise OverflowError("date value out of range")
    year, month, day = date_of_number(number)
    seconds, microsecond = divmod(rest, SECOND)
    minutes, second = divmod(seconds, 60)
    return datetime(year, month, day, minutes // 60, minutes % 60, second, microsecond, zone)


def since_epoch(timestamp: float) -> int:
    """The place of a number of seconds since 1970; ValueError outside of the calendar."""
    seconds = rounded_microseconds(timestamp)
    number = EPOCH + seconds // DAY
    if number < 1 or number > LAST_DAY:
        year, _, _ = date_of_number(number)
        raise ValueError(f"year {year} is out of range")
    return EPOCH * DAY + seconds


def rounded_microseconds(timestamp: float) -> int:
    """Seconds in microseconds; a half goes to the even one."""
    if isinstance(timestamp, int):
        return timestamp * SECOND
    if timestamp != timestamp:
        raise ValueError("Invalid value NaN (not a number)")
    if abs(timestamp) >= 9.3e18:
        raise OverflowError("timestamp out of range for platform time_t")
    number = int(timestamp)
    return number * SECOND + round((timestamp - number) * 1e6)


datetime.min = datetime(1, 1, 1)
datetime.max = datetime(9999, 12, 31, 23, 59, 59, 999999)
datetime.resolution = timedelta(0, 0, 1)
