"""`RateLimit`, `RateLimit-Policy` and `Retry-After`.

The first two are draft-ietf-httpapi-ratelimit-headers-10: lists of strings with parameters (RFC 9651), one
for each limit. `q` is the quota and `w` its window in seconds, `r` what is left and `t` the seconds until all
of it is there again. For a bucket with a `burst` the quota is the burst, the window the time to refill it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from meshext import Limit, Outcome


@dataclass(frozen=True)
class Shown:
    """How a limit is called, and its policy, which is the same in every response."""

    name: str
    policy: str


@dataclass(frozen=True)
class Reading:
    """A limit as one request left it."""

    shown: Shown
    outcome: Outcome


def build_shown(name: str, limit: Limit) -> Shown:
    """The policy of a limit."""
    window = max(math.ceil(limit.capacity * limit.window / limit.rate), 1)
    return Shown(name, f'"{name}";q={limit.capacity};w={window}')


def tightest(readings: Sequence[Reading]) -> list[Reading]:
    """One reading for each name: where a request counted for several callers, the one with least left."""
    found: dict[str, Reading] = {}
    for reading in readings:
        known = found.get(reading.shown.name)
        if known is None or rank(reading.outcome) < rank(known.outcome):
            found[reading.shown.name] = reading
    return list(found.values())


def rank(outcome: Outcome) -> tuple[bool, int, float]:
    """What tells least first."""
    return outcome.allowed, outcome.remaining, -outcome.reset_after


def policy_field(readings: Sequence[Reading]) -> str:
    """The value of `RateLimit-Policy`."""
    return ", ".join([reading.shown.policy for reading in readings])


def limit_field(readings: Sequence[Reading]) -> str:
    """The value of `RateLimit`."""
    return ", ".join(
        [
            f'"{reading.shown.name}";r={reading.outcome.remaining};t={math.ceil(reading.outcome.reset_after)}'
            for reading in readings
        ]
    )


def retry_field(readings: Sequence[Reading]) -> str:
    """The value of `Retry-After` (RFC 9110 10.2.3), the longest wait of any; "" where one never passes."""
    waits = [reading.outcome.retry_after for reading in readings if not reading.outcome.allowed]
    longest = max(waits, default=0.0)
    return "" if math.isinf(longest) else str(max(math.ceil(longest), 1))
