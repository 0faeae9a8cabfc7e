"""A frozen clock: `time.time` and `time.time_ns` stand still until a test moves them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

TRUE_TIME = time.time
TRUE_TIME_NS = time.time_ns


class FrozenClock:
    """Seconds since 1970 that only `advance` moves."""

    def __init__(self, now: float) -> None:
        self._nanoseconds = round(now * 1_000_000_000)

    def time(self) -> float:
        """What `time.time()` gives while frozen."""
        return self._nanoseconds / 1_000_000_000

    def time_ns(self) -> int:
        """What `time.time_ns()` gives while frozen."""
        return self._nanoseconds

    def advance(self, seconds: float) -> None:
        """Move on; ValueError for going back, which clocks of a service do not do."""
        if not seconds >= 0:
            raise ValueError(f"advance({seconds!r}): write seconds of 0 or more")
        self._nanoseconds += round(seconds * 1_000_000_000)

    @contextmanager
    def frozen(self, classes: Iterable[type]) -> Iterator[None]:
        """Freeze time, also under names that the classes' own modules took by `from time import time`."""
        stand_ins: dict[Callable[[], Any], Callable[[], Any]] = {
            TRUE_TIME: self.time,
            TRUE_TIME_NS: self.time_ns,
        }
        places = [vars(time), *own_modules(classes)]
        changed = [
            (place, name, value)
            for place in places
            for name, value in list(place.items())
            if value is TRUE_TIME or value is TRUE_TIME_NS
        ]
        for place, name, value in changed:
            place[name] = stand_ins[value]
        try:
            yield
        finally:
            for place, name, value in changed:
                place[name] = value


def own_modules(classes: Iterable[type]) -> list[dict[str, Any]]:
    """The namespaces of the modules that define the classes and what they are built on, ours left out."""
    names = {base.__module__ for cls in classes for base in cls.__mro__}
    return [
        vars(sys.modules[name])
        for name in sorted(names)
        if name in sys.modules and name != "builtins" and not name.startswith("meshext.")
    ]
