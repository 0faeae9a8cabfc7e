"""What a replay found: tables for people, JSON for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from meshext.cli.output import heading, print_warning, terminal_width
from meshext.errors import RecordingError
from meshext.printable import printable
from meshext.recording.exchange import Decision
from meshext.recording.format import decision_to_plain
from meshext.recording.read import Recording
from meshext.recording.redaction import redact_decision
from meshext.replay.compare import Compared, Sums

MOST_ROWS = 200  # differences that are shown
BOLD = "bold"
UNBOUND = 1000  # columns where no terminal sets any


class Report:
    """Collects what is compared; `show` tells it."""

    def __init__(self, *, against: bool) -> None:
        self.sums = Sums()
        self._titles = ("first", "against") if against else ("recorded", "now")
        self._rows: list[tuple[str, ...]] = []
        self._more = 0

    def add(self, compared: Compared) -> None:
        """One more exchange."""
        self.sums.add(compared)
        for at, difference in enumerate(compared.differences):
            if len(self._rows) == MOST_ROWS:
                self._more += 1
                continue
            front = (str(compared.line), compared.request) if at == 0 else ("", "")
            self._rows.append((*front, *difference))

    def show(self, recording: Recording, *, as_json: bool) -> None:
        """Decisions, differences, a line of summary; RecordingError where nothing could be replayed."""
        if as_json:
            print(json.dumps({"summary": to_plain(self.sums)}))
        elif self.sums.replayed:
            self._show_tables()
        if recording.torn:
            print_warning(f"{recording.path}: the last line is cut off and left out")
        if not self.sums.replayed:
            raise RecordingError(
                [f"nothing could be replayed; it lacks {self._lacks()}"], source=recording.path
            )
        if self.sums.missing:
            print_warning(f"not recorded: {self._lacks()}")
        for (name, header), count in sorted(self.sums.reads.items()):
            print_warning(
                f"{name} read {header!r}, which is redacted in the recording "
                f"({exchanges(count)}): what it decided there says little"
            )

    def _show_tables(self) -> None:
        counts = [(before, after, str(n)) for (before, after), n in self.sums.decisions.most_common()]
        print_table((*self._titles, "exchanges"), counts)
        if self._rows:
            print()
            print_table(("line", "request", "what", *self._titles), self._rows)
        if self._more:
            print(f"and {self._more} more differences; --json has all")
        print()
        print(summary(self.sums), flush=True)

    def _lacks(self) -> str:
        return "; ".join(f"{what} ({exchanges(count)})" for what, count in self.sums.missing.most_common())


def print_table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Columns that a terminal can hold; nothing in a cell is markup or moves the cursor."""
    table = Table(box=None, pad_edge=False, header_style=BOLD if heading("-") != "-" else "")
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console = Console(width=terminal_width() if sys.stdout.isatty() else UNBOUND, highlight=False)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        print(line.rstrip())


def summary(sums: Sums) -> str:
    """One line at the end."""
    found = f"{sums.different} decided otherwise" if sums.different else "all decided the same"
    parts = [f"{exchanges(sums.exchanges)}, {found}"]
    if sums.partly:
        parts.append(f"{sums.partly} replayed without their response")
    if sums.replayed < sums.exchanges:
        parts.append(f"{sums.exchanges - sums.replayed} not replayed")
    return ", ".join(parts)


def exchanges(count: int) -> str:
    """A number of exchanges."""
    return "1 exchange" if count == 1 else f"{count} exchanges"


def print_json(compared: Compared) -> None:
    """One exchange in one line."""
    recorded = compared.recorded
    names = frozenset(recorded.served.redacted)

    def plain(decision: Decision | None) -> object:
        return None if decision is None else decision_to_plain(redact_decision(decision, names))

    print(
        json.dumps(
            {
                "line": compared.line,
                "id": recorded.request_id,
                "time": recorded.time,
                "request": compared.request,
                "mode": recorded.mode,
                "before": plain(compared.before),
                "after": plain(compared.after),
                "differences": [difference._asdict() for difference in compared.differences],
                "missing": list(compared.missing),
                "redacted_reads": [
                    {"filter": name, "header": header} for name, header in sorted(compared.reads)
                ],
            }
        )
    )


def to_plain(sums: Sums) -> dict[str, object]:
    """The summary as JSON has it."""
    return {
        "exchanges": sums.exchanges,
        "replayed": sums.replayed,
        "different": sums.different,
        "partly": sums.partly,
        "decisions": [
            {"before": before, "after": after, "exchanges": count}
            for (before, after), count in sums.decisions.most_common()
        ],
        "missing": dict(sums.missing),
        "redacted_reads": [
            {"filter": name, "header": header, "exchanges": count}
            for (name, header), count in sorted(sums.reads.items())
        ],
    }
