"""Two versions' readings to a verdict. Few requests prove nothing good, and may well prove something bad."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from meshext_controlplane.rollout.course import Bounds

CERTAIN = 3.0  # standard deviations: by chance once in 700 looks at most
FEW = 3.0  # failures that are never held against anybody


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one version did since its step began: requests, failed ones (5xx), and the latency's quantile in
    seconds (None where nobody knows it)."""

    requests: float = 0.0
    errors: float = 0.0
    latency: float | None = None

    @property
    def share(self) -> float:
        """Failed requests of all, 0 to 1."""
        return min(self.errors / self.requests, 1.0) if self.requests > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """Of both versions, over the same time."""

    stable: Reading
    canary: Reading


class Word(StrEnum):
    """A verdict in a word."""

    GOOD = "good"
    BAD = "bad"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Verdict:
    """And why."""

    word: Word
    reason: str


def judge(readings: Readings, bounds: Bounds) -> Verdict:
    """The canary by the side of the stable version.

    BAD needs certainty and comes early; GOOD needs enough requests within the bounds; else it is OPEN.
    """
    canary = readings.canary
    allowed = base_share(readings.stable, bounds) + bounds.errors
    told = f"{canary.share:.1%} of {canary.requests:.0f} failed, {allowed:.1%} are allowed"
    if canary.errors > most_by_chance(allowed, canary.requests):
        return Verdict(Word.BAD, told)
    if canary.requests < bounds.least:
        return Verdict(Word.OPEN, f"{canary.requests:.0f} of {bounds.least} requests seen")
    if (slow := judge_latency(readings, bounds)) is not None:
        return slow
    if canary.share > allowed:
        return Verdict(Word.OPEN, f"{told}; too few to be sure")
    return Verdict(Word.GOOD, told)


def base_share(stable: Reading, bounds: Bounds) -> float:
    """What the stable version fails by itself; 0 where it had too few requests to tell."""
    return stable.share if stable.requests >= bounds.least else 0.0


def most_by_chance(share: float, requests: float) -> float:
    """The most failures that a version which fails `share` of its requests shows by chance (binomial)."""
    expected = share * requests
    return expected + CERTAIN * math.sqrt(expected) + FEW


def judge_latency(readings: Readings, bounds: Bounds) -> Verdict | None:
    """BAD where the canary is slower than it may be; None where it is not, or nobody can tell."""
    stable, canary = readings.stable, readings.canary
    if stable.latency is None or canary.latency is None or stable.requests < bounds.least:
        return None
    most = stable.latency * bounds.slower + bounds.slack
    if canary.latency <= most:
        return None
    return Verdict(Word.BAD, f"{canary.latency * 1000:.0f} ms, {most * 1000:.0f} ms are allowed")
