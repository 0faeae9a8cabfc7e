"""`meshext replay`: recorded exchanges through filters again, and what they decide otherwise."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from meshext.recording.read import Recording
    from meshext.replay.compare import Compared
    from meshext.replay.player import Player

SAME = 0
DIFFERENT = 1

Arguments = Annotated[
    list[str],
    typer.Argument(metavar="SPEC... RECORDING", help="Filters in order, and the file that --record wrote."),
]
Config = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE|JSON", help="Configuration; once for each filter, or one keyed by filter name."
    ),
]
Against = Annotated[
    list[str] | None,
    typer.Option(metavar="SPEC", help="Compare with this filter, not with the recording; again for a chain."),
]
AgainstConfig = Annotated[
    list[str] | None, typer.Option(metavar="FILE|JSON", help="Configuration of the filters to compare with.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print an object for each exchange, then a summary.")]


def replay(
    arguments: Arguments,
    config: Config = None,
    against: Against = None,
    against_config: AgainstConfig = None,
    as_json: AsJson = False,
) -> None:
    """Send the exchanges of a recording through filters, in this process, and compare what they decide.

    Decisions are laid beside those that were recorded; with --against, beside those of other filters. The
    clock stands at each exchange's time, the store is in memory and empty at first, nothing is sent anywhere.
    What else a filter takes from outside (random numbers, calls of its own) is not in a recording. What a
    filter wants and the recording lacks is told, not guessed.

    Ends with 0 where every decision is the same, with 1 where one differs, with 2 where something given is
    wrong or nothing could be replayed.

    With --json: lines of {line, id, time, request, mode, before, after, differences: [{what, before, after}],
    missing, redacted_reads}, then {summary: {...}}. before and after are decisions as in the recording.

    Example: meshext run filter.py:Hello --record traffic.jsonl
      meshext replay filter.py:Hello traffic.jsonl
      meshext replay filter.py:Hello traffic.jsonl --against changed.py:Hello
      meshext replay filter.py:Hello traffic.jsonl --config new.yaml --json | jq .differences
    """
    from meshext.cli.faults import UsageError

    if len(arguments) < 2:
        raise UsageError("give at least one filter, then the recording")
    if against_config and not against:
        raise UsageError("--against-config says how to configure --against SPEC; give that too")
    *specs, path = arguments
    recording = read(path)
    first = load(specs, config, recording)
    second = load(against, against_config, recording) if against else None
    raise typer.Exit(play(recording, first, second, as_json=as_json))


def read(path: str) -> Recording:
    """The recording, looked through."""
    from meshext.cli.replay_progress import Progress
    from meshext.recording.read import read_recording

    with Progress() as progress:
        return read_recording(path, progress.reader(path))


def play(recording: Recording, first: Player, second: Player | None, *, as_json: bool) -> int:
    """Compare exchange by exchange, and show what was found."""
    from meshext.cli.replay_progress import Progress
    from meshext.cli.replay_report import Report, print_json

    report = Report(against=second is not None)
    with Progress() as progress:
        for compared in progress.through(compare_quietly(recording, first, second), len(recording.entries)):
            report.add(compared)
            if as_json:
                print_json(compared)
    report.show(recording, as_json=as_json)
    return DIFFERENT if report.sums.different else SAME


def load(specs: list[str], configs: list[str] | None, recording: Recording) -> Player:
    """Filters ready to be replayed through."""
    from meshext.cli.selection import load_quietly
    from meshext.replay.player import Player

    return load_quietly(lambda: Player(specs, configs or (), now=recording.entries[0].time))


def compare_quietly(recording: Recording, first: Player, second: Player | None) -> Iterator[Compared]:
    """Each exchange; what filters print goes to stderr, since stdout is what is asked for."""
    from meshext.replay.compare import compare

    found = compare(recording, first, second)
    while True:
        with contextlib.redirect_stdout(sys.stderr):
            compared = next(found, None)
        if compared is None:
            return
        yield compared
