"""What was tried in this run, and the table of it that is printed at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from e2e.attacks import REFUSING
from e2e.ways.ground import Outcome
from e2e.ways.rows import KINDS, NOT, ROWS, RUNTIMES, why_not

Cell = tuple[int, str, str]


@dataclass(slots=True)
class Ledger:
    """Outcomes by row, kind and runtime; `skipped` are kinds that this machine can not have, and why."""

    outcomes: dict[Cell, Outcome] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def mark(self, cell: Cell) -> str:
        """A cell: how many were tried, a letter for why not, `?` where nobody has tried yet."""
        row, kind, runtime = cell
        if (outcome := self.outcomes.get(cell)) is not None:
            through = f"!{len(outcome.through)}" if outcome.through else ""
            return f"{len(outcome.statuses)}{through}"
        if (why := why_not(row, KINDS[kind], runtime)) is not None:
            return letters()[why.reason]
        away = kind in self.skipped or (row == 55 and self.skipped)
        return "skip" if away else "?"

    def lines(self) -> Iterator[str]:
        """The table."""
        yield "Each cell: tries in native / authz / proc / wasm, or the letter of why there are none."
        width = 13
        for names in (list(KINDS)[:5], list(KINDS)[5:]):
            yield " " * 44 + "".join(f"{short(name):>{width * 2}}" for name in names)
            for row, title in ROWS.items():
                cells = ["/".join(self.mark((row, name, runtime)) for runtime in RUNTIMES) for name in names]
                yield f"{row:3} {title[:38]:40}" + "".join(f"{each:>{width * 2}}" for each in cells)
        yield from self.summary()

    def summary(self) -> Iterator[str]:
        """Counts, and what the letters mean."""
        outcomes = self.outcomes.values()
        tries = sum(len(each.statuses) for each in outcomes)
        refused = sum(status in REFUSING for each in outcomes for status in each.statuses)
        through = sum(len(each.through) for each in outcomes)
        yield f"{len(outcomes)} cells tried: {tries} tries, {refused} refused, {through} let through."
        counts = Counter(self.reasons().values())
        for reason, letter in letters().items():
            yield f"  {letter}  {counts[reason]:4} cells not applicable: {reason}"
        for kind, reason in self.skipped.items():
            yield f"  skip: {kind}: {reason}"

    def reasons(self) -> Mapping[Cell, str]:
        """Every cell that is not applicable, and why."""
        return {cell: why.reason for cell in cells() if (why := why_not(cell[0], KINDS[cell[1]], cell[2]))}


def cells() -> Iterator[Cell]:
    """All of them."""
    return ((row, kind, runtime) for row in ROWS for kind in KINDS for runtime in RUNTIMES)


def letters() -> dict[str, str]:
    """A letter for each reason, in the order of the rules."""
    return {why.reason: chr(ord("a") + number) for number, why in enumerate(NOT)}


def short(name: str) -> str:
    """A kind's name in a heading."""
    return name.replace("transparent", "transp.")
