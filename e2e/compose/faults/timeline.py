"""Requests along one clock, and what they say of a fault: how many failed, and for how long. Without I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

SETTLED = 20
"""Good answers in a row after which a fault counts as over."""


@dataclass(frozen=True, slots=True, order=True)
class Call:
    """One request: when it was due and when it ended, in seconds of one clock, and what came of it.

    `kind` is the status ("200"), or the kind of an error ("ConnectionRefusedError").
    """

    due: float
    ended: float
    kind: str

    @property
    def took(self) -> float:
        """Seconds from when it should have been sent: a sender that was late hides no waiting."""
        return self.ended - self.due


@dataclass(frozen=True, slots=True)
class Timeline:
    """The calls of one load, in the order in which they were due."""

    calls: tuple[Call, ...]
    good: frozenset[str] = frozenset({"200"})

    @classmethod
    def of(cls, calls: Iterable[Call], good: Iterable[str] = ("200",)) -> Timeline:
        """From calls in any order, as they have ended."""
        return cls(tuple(sorted(calls)), frozenset(good))

    @classmethod
    def merged(cls, parts: Iterable[Timeline]) -> Timeline:
        """Several loads as one; what is good for one of them is good."""
        given = list(parts)
        calls = (call for each in given for call in each.calls)
        return cls.of(calls, frozenset[str]().union(*(each.good for each in given)))

    def due_between(self, begin: float, end: float) -> Timeline:
        """Those that were due from `begin` on and before `end`."""
        return Timeline(tuple(each for each in self.calls if begin <= each.due < end), self.good)

    @property
    def failures(self) -> Sequence[Call]:
        """What did not go well."""
        return [each for each in self.calls if each.kind not in self.good]

    @property
    def kinds(self) -> Counter[str]:
        """How often which."""
        return Counter(each.kind for each in self.calls)

    @property
    def slowest(self) -> float:
        """Seconds that the slowest request took; 0 where there is none."""
        return max((each.took for each in self.calls), default=0.0)

    @property
    def longest_gap(self) -> float:
        """The longest time without a good answer, in seconds, between the first end and the last."""
        if not self.calls:
            return 0.0
        ends = sorted(each.ended for each in self.calls)
        good = sorted(each.ended for each in self.calls if each.kind in self.good)
        marks = [ends[0], *good, ends[-1]]
        return max(after - before for before, after in pairwise(marks))

    def recovered(self, since: float) -> float | None:
        """Seconds from `since` until the last request was due that failed: whoever came later was served.

        0 where none failed; None where nothing went well after the last failure, so that nobody can say.
        """
        after = [each for each in self.calls if each.due >= since]
        last = max((each.due for each in after if each.kind not in self.good), default=None)
        if not any(each.kind in self.good and (last is None or each.due > last) for each in after):
            return None
        return 0.0 if last is None else last - since

    def history(self, since: float) -> str:
        """What failed in which second from then on: for people who look for a cause."""
        seconds: dict[int, Counter[str]] = {}
        for each in self.failures:
            seconds.setdefault(int((each.due - since) // 1), Counter())[each.kind] += 1
        return ", ".join(
            f"{second:+d} s: " + " ".join(f"{number} {kind}" for kind, number in sorted(found.items()))
            for second, found in sorted(seconds.items())
        )

    def is_settled(self, since: float, number: int = SETTLED) -> bool:
        """Whether the newest requests since then have all gone well, so many at least."""
        newest = self._newest(since, number)
        return len(newest) == number and all(each.kind in self.good for each in newest)

    def is_failing(self, since: float, number: int = SETTLED) -> bool:
        """The same of requests that have all failed."""
        newest = self._newest(since, number)
        return len(newest) == number and not any(each.kind in self.good for each in newest)

    def _newest(self, since: float, number: int) -> Sequence[Call]:
        return [each for each in self.calls if each.due >= since][-number:]
