"""What compiling filters tells about them: what they read and write, and what that costs in Envoy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from meshext.cli.output import format_table, heading


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """Something that does not compile; lines count from 1, columns from 0."""

    file: str
    line: int
    column: int
    reason: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What one hook of one filter touches, in the words of the SDK: `request.path`, `request header x-a`."""

    filter: str
    hook: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A callback that Envoy makes. `calls` are the fewest and the most calls of each host function that it
    took, in the exchanges that were tried; empty where none came so far."""

    name: str
    hooks: tuple[str, ...]
    calls: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def total(self) -> tuple[int, int]:
        """The fewest and the most of all, each function by itself."""
        least, most = zip((0, 0), *self.calls.values(), strict=True)
        return sum(least), sum(most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """`refused`: the classes ask for what can not be compiled, and only their code was checked. `drawn` are
    the mistakes under their source. `properties` are what Envoy is asked for in each exchange.
    `exchanges` counts those that were tried, with `why_not` where none was; `failures` are what the log says
    of hooks that failed there."""

    refused: bool = False
    mistakes: tuple[Mistake, ...] = ()
    drawn: str = ""
    size: int = 0
    uses: tuple[Use, ...] = ()
    properties: tuple[str, ...] = ()
    phases: tuple[Phase, ...] = ()
    exchanges: int = 0
    why_not: str = ""
    failures: tuple[str, ...] = ()

    @property
    def compiles(self) -> bool:
        """Nothing was refused."""
        return not self.mistakes and not self.refused


def to_data(study: Study) -> dict[str, object]:
    """The study as plain data."""
    return {
        "compiles": study.compiles,
        "mistakes": [
            {
                "file": each.file,
                "line": each.line,
                "column": each.column,
                "reason": each.reason,
                "hint": each.hint or None,
            }
            for each in study.mistakes
        ],
        "bytes": study.size,
        "uses": [
            {"filter": each.filter, "hook": each.hook, "reads": [*each.reads], "writes": [*each.writes]}
            for each in study.uses
        ],
        "properties": list(study.properties),
        "exchanges": study.exchanges,
        "not_tried": study.why_not or None,
        "failures": list(study.failures),
        "phases": [_phase_data(each) for each in study.phases],
    }


def _phase_data(phase: Phase) -> dict[str, object]:
    return {
        "phase": phase.name,
        "hooks": list(phase.hooks),
        "host_calls": {name: {"least": least, "most": most} for name, (least, most) in phase.calls.items()},
    }


def study_lines(study: Study) -> Iterator[str]:
    """The study for people; where it does not compile, why."""
    if not study.compiles:
        beside = "refused, and in the code" if study.refused else "does not compile"
        yield heading(f"{beside}: {counted(len(study.mistakes), 'mistake')}")
        yield from [study.drawn] if study.drawn else []
        return
    yield heading(f"compiled: {study.size} bytes")
    yield from format_table(list(_use_rows(study.uses)), indent="  ")
    if study.properties:
        yield f"  Envoy is asked for {', '.join(study.properties)} in each exchange."
    yield ""
    tried = f"in {counted(study.exchanges, 'exchange')}" if study.exchanges else study.why_not
    yield heading(f"host calls, {tried}")
    yield from format_table(list(_phase_rows(study.phases)), indent="  ")
    yield from (f"  failed: {each}" for each in study.failures)


def _use_rows(uses: Sequence[Use]) -> Iterator[tuple[str, ...]]:
    several = len({each.filter for each in uses}) > 1
    for use in uses:
        name = f"{use.filter}: {use.hook}" if several else use.hook
        rows = [("reads", ", ".join(use.reads)), ("writes", ", ".join(use.writes))]
        found = [row for row in rows if row[1]] or [("", "nothing of the message")]
        for number, (verb, what) in enumerate(found):
            yield ("" if number else name, verb, what)


def _phase_rows(phases: Sequence[Phase]) -> Iterator[tuple[str, ...]]:
    yield ("phase", "because of", "calls", "")
    for phase in phases:
        hooks = ", ".join(phase.hooks) or "always"
        each = ", ".join(f"{name} {span(calls)}" for name, calls in phase.calls.items())
        yield (phase.name, hooks, span(phase.total) if phase.calls else "", each)


def span(calls: tuple[int, int]) -> str:
    """`3`, or `3-5` where it differed."""
    least, most = calls
    return str(most) if least == most else f"{least}-{most}"


def counted(number: int, noun: str) -> str:
    """`1 mistake`, `2 mistakes`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
