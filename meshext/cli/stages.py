"""A check in stages: what each looked at, how it is, and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from meshext.cli.output import BOLD, RED, YELLOW, paint, to_line


class Level(StrEnum):
    """How one thing is. Only FAILED makes the whole check fail."""

    OK = "OK"
    WARNING = "WARNING"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Result:
    """One thing that was looked at; `hint` says what to do where it is not OK."""

    level: Level
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """Things that belong together."""

    title: str
    results: tuple[Result, ...]

    @property
    def failed(self) -> bool:
        """Whether something has failed."""
        return any(each.level is Level.FAILED for each in self.results)


STYLES = {Level.OK: BOLD, Level.WARNING: YELLOW, Level.FAILED: RED}


def show_stages(stages: Iterable[Stage]) -> bool:
    """Print each stage when it is done; whether nothing has failed."""
    import sys

    done: list[Stage] = []
    for stage in stages:
        print("\n".join([*([""] if done else []), *stage_lines(stage)]), flush=True)
        done.append(stage)
    failed, warned = count(done, Level.FAILED), count(done, Level.WARNING)
    word = paint("FAILED", RED, sys.stdout) if failed else paint("OK", BOLD, sys.stdout)
    print(f"\n{word}: {failed} failed, {warned} to look after, {count(done, Level.OK)} as they should be")
    return not failed


def stage_lines(stage: Stage) -> list[str]:
    """A heading, and a line for each thing with its hint below."""
    import sys

    lines = [paint(to_line(stage.title), BOLD, sys.stdout)]
    for each in stage.results:
        mark = paint(each.level.value.ljust(len(Level.WARNING)), STYLES[each.level], sys.stdout)
        lines.append(f"  {mark}  {to_line(each.text)}")
        if each.hint:
            lines.append(f"  {'':{len(Level.WARNING)}}  -> {to_line(each.hint)}")
    return lines


def print_json(stages: Iterable[Stage]) -> bool:
    """Print all stages for machines; whether nothing has failed."""
    done = list(stages)
    good = not any(stage.failed for stage in done)
    print(json.dumps({"ok": good, "stages": [asdict(stage) for stage in done]}, indent=2))
    return good


def count(stages: Sequence[Stage], level: Level) -> int:
    """How many things are so."""
    return sum(each.level is level for stage in stages for each in stage.results)
