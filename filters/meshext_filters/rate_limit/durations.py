"""Durations as people write them: `90s`, `1h30m`, `250ms`."""

from __future__ import annotations

import re

from meshext.limits import LONGEST

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)(ms|s|m|h|d|w)")
NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
SHORTEST = 0.001  # seconds


def parse_duration(field: str, written: str) -> float:
    """Seconds; ValueError says what to write in `field`."""
    text = written.strip()
    if NUMBER.fullmatch(text):
        raise ValueError(f'{field} {written!r} has no unit; write "{text}s" for seconds')
    seconds, at = 0.0, 0
    for part in PART.finditer(text):
        if part.start() != at:
            break
        seconds += float(str(part[1])) * UNITS[str(part[2])]
        at = part.end()
    if not text or at != len(text):
        units = ", ".join(UNITS)
        raise ValueError(
            f'{field} {written!r} is no duration; write numbers with {units}, such as "90s" or "1h30m"'
        )
    if not SHORTEST <= seconds <= LONGEST:
        raise ValueError(f'{field} {written!r} is out of reach; write from "1ms" to "3660d"')
    return seconds
