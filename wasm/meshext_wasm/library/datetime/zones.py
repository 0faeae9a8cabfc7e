"""timezone: a fixed distance from UTC. Zones that change theirs in summer are not there."""

from __future__ import annotations

from typing import ClassVar

from meshext_wasm.library.datetime.deltas import timedelta, whole

DAY = 86400000000
UNNAMED = "\0"
"""What stands for a name that is not given."""


class timezone:  # noqa: N801  # Python's own name
    """A zone that is always as far from UTC, less than a day; two with the same distance are equal."""

    utc: ClassVar[timezone]
    _offset: timedelta
    _name: str | None

    def __init__(self, offset: timedelta, name: str = UNNAMED) -> None:
        if abs(whole(offset)) >= DAY:
            raise ValueError(
                "offset must be a timedelta strictly between -timedelta(hours=24) and "
                f"timedelta(hours=24), not {offset!r}."
            )
        self._offset = offset
        self._name = None if name == UNNAMED else name

    def utcoffset(self, dt: object) -> timedelta:
        """How far local time is before UTC."""
        return self._offset

    def tzname(self, dt: object) -> str:
        """Its name, or `UTC+01:00`."""
        if self._name is not None:
            return self._name
        return "UTC" if not self._offset else "UTC" + offset_text(self._offset, ":")

    def dst(self, dt: object) -> None:
        """Nothing is known of summer time."""
        return

    def __eq__(self, other: object) -> bool:
        return self._offset == other._offset if isinstance(other, timezone) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._offset)

    def __str__(self) -> str:
        return self.tzname(None)

    def __repr__(self) -> str:
        if self._name is not None:
            return f"datetime.timezone({self._offset!r}, {self._name!r})"
        return f"datetime.timezone({self._offset!r})" if self._offset else "datetime.timezone.utc"


def offset_text(offset: timedelta, colon: str) -> str:
    """`+01:00`, with seconds and microseconds where there are any."""
    distance = whole(offset)
    sign = "-" if distance < 0 else "+"
    seconds, rest = divmod(abs(distance), 1000000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    text = f"{sign}{hour:02d}{colon}{minute:02d}"
    if second != 0 or rest != 0:
        text += f"{colon}{second:02d}"
    return text + (f".{rest:06d}" if rest != 0 else "")


timezone.utc = timezone(timedelta(0))
UTC = timezone.utc
