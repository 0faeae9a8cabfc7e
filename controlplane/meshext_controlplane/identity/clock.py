"""What time it is: given from outside wherever something expires, so that tests need not wait."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def to_seconds(moment: datetime) -> int:
    """As the state keeps it: whole seconds since 1970."""
    return int(moment.timestamp())


def from_seconds(seconds: int) -> datetime:
    """The moment that the state means."""
    return datetime.fromtimestamp(seconds, UTC)
