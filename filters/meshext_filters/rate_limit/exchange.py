"""What one exchange carries from its request to its response."""

from __future__ import annotations

from dataclasses import dataclass, field

from meshext import Limit, Outcome
from meshext_filters.rate_limit.fields import Reading, Shown


@dataclass(frozen=True)
class Count:
    """One limit that a request counts for."""

    rule: str
    dry_run: bool
    shown: Shown
    limit: Limit
    cost_header: str
    """The response header that tells the cost; "" where the request has told it."""
    most: int
    """The most hits that it may tell."""

    def read(self, outcome: Outcome) -> Reading:
        """The limit as its outcome says."""
        return Reading(self.shown, outcome)


@dataclass
class State:
    """What is counted when the response comes, and how the limits stood before."""

    due: list[Count] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)


def rule_names(counts: list[Count]) -> list[str]:
    """The rules of some counts, each once."""
    return list(dict.fromkeys([each.rule for each in counts]))
