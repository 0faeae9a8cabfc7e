"""The way a rollout goes: weights, how long each is held, and how much worse the canary may be."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from meshext_controlplane.rollout.errors import RolloutError

WHOLE = 100  # per cent: the weight of a version that has all requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much worse than the stable version the canary may be.

    `errors` is added to the stable version's share of failed requests (0.01: one in a hundred more). A
    latency may be `slower` times the stable one's and `slack` seconds. Less than `least` requests say
    nothing.
    """

    errors: float = 0.01
    slower: float = 1.5
    slack: float = 0.005
    least: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Weights in per cent, rising, the last is 100. Each is held for `hold` seconds at least and `limit` at
    most; after `patience` seconds without a reading it goes back."""

    steps: tuple[int, ...] = (5, 25, 50, WHOLE)
    hold: float = 60.0
    limit: float = 1800.0
    patience: float = 60.0
    bounds: Bounds = field(default_factory=Bounds)


def parse_steps(text: str) -> tuple[int, ...]:
    """`5,25,50,100`; RolloutError for what does not rise to 100."""
    words = [word.strip().removesuffix("%") for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() and len(word) <= 3 for word in words):
        raise RolloutError(f"--steps {text!r}: write weights in per cent, such as 5,25,50,100")
    steps = tuple(map(int, words))
    if steps[-1] != WHOLE or steps[0] < 1 or any(a >= b for a, b in pairwise(steps)):
        raise RolloutError(f"--steps {text!r}: weights rise from 1 or more to 100, such as 5,25,50,100")
    return steps
