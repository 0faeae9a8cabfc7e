"""time: a time of day, with a zone or without."""

from __future__ import annotations

from typing import ClassVar

from meshext_wasm.library.datetime import iso
from meshext_wasm.library.datetime.days import check_time
from meshext_wasm.library.datetime.deltas import SECOND, timedelta, whole
from meshext_wasm.library.datetime.writing import Shown, strftime
from meshext_wasm.library.datetime.zones import offset_text, timezone


class time:  # noqa: N801  # Python's own name
    """A time of day."""

    min: ClassVar[time]
    max: ClassVar[time]
    resolution: ClassVar[timedelta]
    _hour: int
    _minute: int
    _second: int
    _microsecond: int
    _zone: timezone | None

    def __init__(
        self,
        hour: int = 0,
        minute: int = 0,
        second: int = 0,
        microsecond: int = 0,
        tzinfo: timezone | None = None,
    ) -> None:
        check_time(hour, minute, second, microsecond)
        self._hour = hour
        self._minute = minute
        self._second = second
        self._microsecond = microsecond
        self._zone = tzinfo

    @staticmethod
    def fromisoformat(time_string: str) -> time:
        """A time of day as ISO 8601 writes it."""
        try:
            clock = iso.read_time(time_string.removeprefix("T"))
        except ValueError:
            raise iso.bad(time_string) from None
        return time(clock.hour, clock.minute, clock.second, clock.microsecond, clock.zone())

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
        return None if zone is None else zone.utcoffset(None)

    def tzname(self) -> str | None:
        """The zone's name."""
        zone = self._zone
        return None if zone is None else zone.tzname(None)

    def dst(self) -> timedelta | None:
        """Nothing is known of summer time."""
        return None

    def replace(
        self,
        hour: int | None = None,
        minute: int | None = None,
        second: int | None = None,
        microsecond: int | None = None,
        tzinfo: timezone | bool | None = True,
    ) -> time:
        """The same with something else in it."""
        return time(
            self._hour if hour is None else hour,
            self._minute if minute is None else minute,
            self._second if second is None else second,
            self._microsecond if microsecond is None else microsecond,
            self._zone if isinstance(tzinfo, bool) else tzinfo,
        )

    def isoformat(self, timespec: str = "auto") -> str:
        """`12:30:15.000250+01:00`."""
        zone = self._zone
        text = iso.clock_text(self._hour, self._minute, self._second, self._microsecond, timespec)
        return text if zone is None else text + offset_text(zone.utcoffset(None), ":")

    def strftime(self, format: str) -> str:  # noqa: A002  # Python's own name
        """By a template."""
        shown = Shown(1900, 1, 1)
        shown.at(self._hour, self._minute, self._second, self._microsecond, self._zone)
        return strftime(shown, format)

    def __str__(self) -> str:
        return self.isoformat()

    def __format__(self, spec: str) -> str:
        return self.strftime(spec) if spec else str(self)

    def __repr__(self) -> str:
        text = f"datetime.time({self._hour}, {self._minute}"
        if self._second != 0 or self._microsecond != 0:
            text += f", {self._second}"
        if self._microsecond != 0:
            text += f", {self._microsecond}"
        return text + (f", tzinfo={self._zone!r})" if self._zone is not None else ")")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, time):
            return NotImplemented
        return (self._zone is None) == (other._zone is None) and place(self) == place(other)

    def __lt__(self, other: object) -> bool:
        return difference(self, other) < 0 if isinstance(other, time) else NotImplemented

    def __le__(self, other: object) -> bool:
        return difference(self, other) <= 0 if isinstance(other, time) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return difference(self, other) > 0 if isinstance(other, time) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return difference(self, other) >= 0 if isinstance(other, time) else NotImplemented

    def __hash__(self) -> int:
        return hash(place(self))


def place(clock: time) -> int:
    """Microseconds since midnight, in UTC where there is a zone."""
    seconds = (clock.hour * 60 + clock.minute) * 60 + clock.second
    offset = clock.utcoffset()
    return seconds * SECOND + clock.microsecond - (0 if offset is None else whole(offset))


def difference(one: time, other: time) -> int:
    """How much later one is; TypeError where only one has a zone."""
    if (one.tzinfo is None) != (other.tzinfo is None):
        raise TypeError("can't compare offset-naive and offset-aware times")
    return place(one) - place(other)


time.min = time()
time.max = time(23, 59, 59, 999999)
time.resolution = timedelta(0, 0, 1)
