"""How long to wait before something is tried again."""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """Waits that double from `first` to `longest` seconds, each taken from its upper half by chance.

    Chance keeps a thousand sidecars from coming back all at once after their control plane was away.
    """

    def __init__(
        self, *, first: float = 0.5, longest: float = 30.0, chance: Callable[[], float] = random.random
    ) -> None:
        self._first = first
        self._longest = longest
        self._chance = chance
        self._failures = 0

    def next(self) -> float:
        """Seconds to wait after one more failure."""
        whole = min(self._first * 2.0 ** min(self._failures, 60), self._longest)
        self._failures += 1
        return whole * (0.5 + 0.5 * self._chance())

    def reset(self) -> None:
        """It went well: begin anew."""
        self._failures = 0
