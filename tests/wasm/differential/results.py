"""The file of results: a line for each module of programs, and at its end one for all of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "results.jsonl"
COUNTED = ("same", "refused", "different", "broken")
Line = dict[str, Any]


def read_lines(file: Path) -> list[Line]:
    """The lines of modules, without that of all."""
    if not file.exists():
        return []
    lines: list[Line] = [json.loads(each) for each in file.read_text(encoding="utf-8").splitlines()]
    return list(filter(is_module, lines))


def is_module(line: Line) -> bool:
    """Whether a line is no sum."""
    return "seed" in line


def add_up(lines: Sequence[Line]) -> Line:
    """All programs, each once: of the same programs the last run counts. `different` are programs, each of
    which a line has to explain that is left with one: `explained`."""
    latest = {(each["seed"], each["first"]): each for each in lines}.values()
    counts: list[int] = [each["distinct" if "distinct" in each else "programs"] for each in latest]
    found: Line = {"distinct": sum(counts), "inputs": min((each["inputs"] for each in latest), default=0)}
    found |= {name: sum(each[name] for each in latest) for name in COUNTED}
    unexplained = [each["different"] for each in latest if "explained" not in each]
    return found | {"unexplained": sum(unexplained)}


def write_lines(file: Path, lines: Sequence[Line]) -> None:
    """The lines of modules, and that of all."""
    file.write_text("".join(json.dumps(each) + "\n" for each in (*lines, add_up(lines))), encoding="utf-8")
