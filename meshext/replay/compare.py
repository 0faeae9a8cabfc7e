"""A whole recording through one chain of filters or two, exchange by exchange; and the sums at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from meshext.http.parts import request_parts
from meshext.recording.exchange import Decision, Recorded
from meshext.recording.read import Recording
from meshext.replay.facts import Difference, describe, find_differences
from meshext.replay.player import Played, Player


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One exchange: what was decided before and after, None where that is not known.

    `missing` is what the recording does not hold; with decisions on both sides only the request was
    compared. `reads` are redacted headers that filters read (filter, header), so that what they decided
    says little.
    """

    line: int
    recorded: Recorded
    before: Decision | None
    after: Decision | None
    differences: tuple[Difference, ...] = ()
    missing: tuple[str, ...] = ()
    reads: frozenset[tuple[str, str]] = frozenset()

    @property
    def replayed(self) -> bool:
        """Whether there was anything to compare."""
        return self.before is not None and self.after is not None

    @property
    def request(self) -> str:
        """Method and target; a target that is not ASCII is shown as far as it can be."""
        parts = request_parts(self.recorded.request.lines)
        return f"{parts.method} {parts.target or parts.host}"


@dataclass(slots=True)
class Sums:
    """What came of a recording. `decisions` counts pairs of decisions in words, before and after."""

    exchanges: int = 0
    replayed: int = 0
    different: int = 0
    partly: int = 0
    decisions: Counter[tuple[str, str]] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    reads: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, compared: Compared) -> None:
        """One more exchange."""
        self.exchanges += 1
        self.missing.update(compared.missing)
        self.reads.update(compared.reads)
        if compared.before is None or compared.after is None:
            return
        self.replayed += 1
        self.partly += bool(compared.missing)
        self.different += bool(compared.differences)
        whole = not compared.missing
        self.decisions[
            describe(compared.before, response=whole), describe(compared.after, response=whole)
        ] += 1


def compare(recording: Recording, player: Player, against: Player | None = None) -> Iterator[Compared]:
    """Each exchange in the order of its beginning: as recorded and through the filters, or through both."""
    for line, recorded in recording.exchanges():
        played = player.play(recorded)
        if against is None:
            yield beside(line, recorded, as_recorded(recorded), played)
        else:
            yield beside(line, recorded, played, against.play(recorded))


def as_recorded(recorded: Recorded) -> Played:
    """What was decided in the service."""
    return Played(decision=recorded.decision, missing=(), response=True, reads=frozenset())


def beside(line: int, recorded: Recorded, before: Played, after: Played) -> Compared:
    """What was decided before and after, and what differs."""
    missing = tuple(dict.fromkeys((*before.missing, *after.missing)))
    reads = before.reads | after.reads
    if before.decision is None or after.decision is None:
        return Compared(line=line, recorded=recorded, before=None, after=None, missing=missing, reads=reads)
    response = before.response and after.response
    found = find_differences(recorded, before.decision, after.decision, response=response)
    return Compared(
        line=line,
        recorded=recorded,
        before=before.decision,
        after=after.decision,
        differences=tuple(found),
        missing=missing,
        reads=reads,
    )
