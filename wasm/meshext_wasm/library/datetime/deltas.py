"""timedelta: a stretch of time, in days, seconds and microseconds."""

from __future__ import annotations

from typing import ClassVar, overload

SECOND = 1000000
DAY = 86400 * SECOND
MOST_DAYS = 999999999


class timedelta:  # noqa: N801  # Python's own name
    """A stretch of time: days of any sign, and the rest of less than a day."""

    min: ClassVar[timedelta]
    max: ClassVar[timedelta]
    resolution: ClassVar[timedelta]
    _days: int
    _seconds: int
    _microseconds: int

    def __init__(
        self,
        days: float = 0,
        seconds: float = 0,
        microseconds: float = 0,
        milliseconds: float = 0,
        minutes: float = 0,
        hours: float = 0,
        weeks: float = 0,
    ) -> None:
        sum_ = Sum()
        sum_.add(microseconds, 1)
        sum_.add(milliseconds, 1000)
        sum_.add(seconds, SECOND)
        sum_.add(minutes, 60 * SECOND)
        sum_.add(hours, 3600 * SECOND)
        sum_.add(days, DAY)
        sum_.add(weeks, 7 * DAY)
        self._days, rest = divmod(sum_.total(), DAY)
        if self._days < -(2**31) or self._days >= 2**31:
            raise OverflowError("Python int too large to convert to C int")
        if self._days < -MOST_DAYS or self._days > MOST_DAYS:
            raise OverflowError(f"days={self._days}; must have magnitude <= {MOST_DAYS}")
        self._seconds, self._microseconds = divmod(rest, SECOND)

    @property
    def days(self) -> int:
        """Whole days, of any sign."""
        return self._days

    @property
    def seconds(self) -> int:
        """Seconds beside the days, 0 to 86399."""
        return self._seconds

    @property
    def microseconds(self) -> int:
        """Microseconds beside the seconds, 0 to 999999."""
        return self._microseconds

    def total_seconds(self) -> float:
        """All of it in seconds."""
        return whole(self) / SECOND

    def __add__(self, other: timedelta) -> timedelta:
        return made(whole(self) + whole(other))

    def __sub__(self, other: timedelta) -> timedelta:
        return made(whole(self) - whole(other))

    def __neg__(self) -> timedelta:
        return made(-whole(self))

    def __pos__(self) -> timedelta:
        return self

    def __abs__(self) -> timedelta:
        return made(abs(whole(self)))

    def __mul__(self, other: float) -> timedelta:
        if isinstance(other, int):
            return made(whole(self) * other)
        above, below = other.as_integer_ratio()
        return made(nearest(whole(self) * above, below))

    def __rmul__(self, other: float) -> timedelta:
        return self * other

    @overload
    def __truediv__(self, other: timedelta) -> float: ...

    @overload
    def __truediv__(self, other: float) -> timedelta: ...

    def __truediv__(self, other: timedelta | float) -> float | timedelta:
        if isinstance(other, timedelta):
            return whole(self) / whole(other)
        if isinstance(other, int):
            return made(nearest(whole(self), other))
        above, below = other.as_integer_ratio()
        return made(nearest(whole(self) * below, above))

    @overload
    def __floordiv__(self, other: timedelta) -> int: ...

    @overload
    def __floordiv__(self, other: int) -> timedelta: ...

    def __floordiv__(self, other: timedelta | int) -> int | timedelta:
        if isinstance(other, timedelta):
            return whole(self) // whole(other)
        return made(whole(self) // other)

    def __mod__(self, other: timedelta) -> timedelta:
        return made(whole(self) % whole(other))

    def __divmod__(self, other: timedelta) -> tuple[int, timedelta]:
        times, rest = divmod(whole(self), whole(other))
        return times, made(rest)

    def __bool__(self) -> bool:
        return whole(self) != 0

    def __eq__(self, other: object) -> bool:
        return whole(self) == whole(other) if isinstance(other, timedelta) else NotImplemented

    def __lt__(self, other: object) -> bool:
        return whole(self) < whole(other) if isinstance(other, timedelta) else NotImplemented

    def __le__(self, other: object) -> bool:
        return whole(self) <= whole(other) if isinstance(other, timedelta) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return whole(self) > whole(other) if isinstance(other, timedelta) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return whole(self) >= whole(other) if isinstance(other, timedelta) else NotImplemented

    def __hash__(self) -> int:
        return hash((self._days, self._seconds, self._microseconds))

    def __str__(self) -> str:
        minutes, second = divmod(self._seconds, 60)
        hour, minute = divmod(minutes, 60)
        text = f"{hour}:{minute:02d}:{second:02d}"
        if self._days != 0:
            text = f"{self._days} day{'' if abs(self._days) == 1 else 's'}, {text}"
        return text + (f".{self._microseconds:06d}" if self._microseconds != 0 else "")

    def __repr__(self) -> str:
        parts: list[str] = []
        if self._days != 0:
            parts.append(f"days={self._days}")
        if self._seconds != 0:
            parts.append(f"seconds={self._seconds}")
        if self._microseconds != 0:
            parts.append(f"microseconds={self._microseconds}")
        return f"datetime.timedelta({', '.join(parts) if parts else '0'})"


class Sum:
    """Microseconds added up: exact, and what floats leave over apart, rounded at the end."""

    exact: int
    left: float

    def __init__(self) -> None:
        self.exact = 0
        self.left = 0.0

    def add(self, amount: float, factor: int) -> None:
        """So many of so many microseconds."""
        if isinstance(amount, int):
            self.exact += amount * factor
            return
        number = int(amount)
        self.exact += number * factor
        part = (amount - number) * float(factor)
        number = int(part)
        self.exact += number
        self.left += part - number

    def total(self) -> int:
        """Whole microseconds; a half goes to the even side of the sum."""
        if self.left == 0.0:
            return self.exact
        rounded = float(round(self.left))
        if abs(rounded - self.left) == 0.5:
            odd = self.exact % 2
            rounded = 2.0 * round((self.left + odd) * 0.5) - odd
        return self.exact + int(rounded)


def whole(delta: timedelta) -> int:
    """All of it in microseconds."""
    return (delta._days * 86400 + delta._seconds) * SECOND + delta._microseconds


def made(microseconds: int) -> timedelta:
    """A stretch of so many."""
    return timedelta(0, 0, microseconds)


def nearest(above: int, below: int) -> int:
    """A fraction as a whole number; a half goes to the even one."""
    number, rest = divmod(above, below)
    twice = rest * 2
    further = twice > below if below > 0 else twice < below
    return number + 1 if further or (twice == below and number % 2 == 1) else number


timedelta.min = timedelta(-MOST_DAYS)
timedelta.max = timedelta(MOST_DAYS, 86399, 999999)
timedelta.resolution = timedelta(0, 0, 1)
