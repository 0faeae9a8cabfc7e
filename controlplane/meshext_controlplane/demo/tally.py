"""Calls added up: who called whom, what came of it and by whom, how long it took, which version answered."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from meshext_controlplane.model.spiffe import SpiffeId, SpiffeIdError
from meshext_controlplane.tap.calls import Call

KEPT = 500  # durations of a row
MOST_ROWS = 200  # what comes on top is one row, OTHERS
OTHERS = "others"
ALLOWED = "allowed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Calls of one caller to one workload with one outcome.

    `outcome` is `allowed`, or what refused them. `median` and `slow` (the 99th percentile) are in seconds, of
    the last calls.
    """

    caller: str
    called: str
    outcome: str
    count: int
    codes: tuple[tuple[int, int], ...]
    median: float
    slow: float
    last: float


@dataclass(slots=True)
class _Sum:
    count: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    durations: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    last: float = 0.0


class Tally:
    """Totals since the start; a call is counted once, at the workload that was called, or at the caller's
    sidecar where that one has refused it."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str, str], _Sum] = {}
        self.versions: Counter[str] = Counter()
        self.calls = 0

    def add(self, call: Call) -> None:
        """Count it."""
        if not call.inbound and call.subset and not call.refused_by:
            self.versions[call.subset] += 1
        if not call.inbound and not call.refused_by:
            return
        self.calls += 1
        key = name_caller(call), name_called(call), call.refused_by or ALLOWED
        if key not in self._sums and len(self._sums) >= MOST_ROWS:
            key = OTHERS, OTHERS, OTHERS
        row = self._sums.setdefault(key, _Sum())
        row.count += 1
        row.codes[call.code] += 1
        row.durations.append(call.duration)
        row.last = max(row.last, call.start)

    def rows(self) -> list[Row]:
        """All rows: what is allowed before what is not, the most frequent first."""
        found = [
            Row(
                caller=caller,
                called=called,
                outcome=outcome,
                count=each.count,
                codes=tuple(sorted(each.codes.items())),
                median=quantile(each.durations, 0.5),
                slow=quantile(each.durations, 0.99),
                last=each.last,
            )
            for (caller, called, outcome), each in self._sums.items()
        ]
        return sorted(found, key=lambda row: (row.outcome != ALLOWED, -row.count, row.caller, row.called))

    def refused_by(self, what: str) -> int:
        """How many calls that refused."""
        return sum(each.count for (_, _, outcome), each in self._sums.items() if outcome == what)

    def shares(self) -> list[tuple[str, int, float]]:
        """Each version, how many calls went there, and their share."""
        total = self.versions.total() or 1
        return [(name, count, count / total) for name, count in sorted(self.versions.items())]


def name_caller(call: Call) -> str:
    """The service account of the caller's certificate, or the sidecar's workload where it sent the call."""
    if not call.inbound:
        return call.node.partition(".")[0]
    try:
        return SpiffeId.parse(call.peer).service_account
    except SpiffeIdError:
        return "nobody known"


def name_called(call: Call) -> str:
    """The workload that was called; the host where the caller's sidecar has refused the call."""
    return call.node.partition(".")[0] if call.inbound else call.authority


def quantile(values: Iterable[float], share: float) -> float:
    """The smallest value that so many are not above; 0 of none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0
