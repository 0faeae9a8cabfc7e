"""The results of `meshext run --try`, as a table that a terminal can hold."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from meshext.cli.output import format_table, heading, paint
from meshext.printable import printable
from meshext.sandbox.calls import Result

GREEN, RED = 32, 31
HEADINGS = ("", "call", "request", "status", "answer")
SHOWN = 60  # characters of a body


def show_results(results: Sequence[Result]) -> None:
    """A row for each call, then what was wrong, then one line of summary."""
    header, *lines = format_table([HEADINGS, *map(to_row, results)])
    print(heading(header))
    for line in lines:
        mark = line[:2]
        style = {"ok": GREEN, "no": RED}.get(mark)
        print(line if style is None else paint(mark, style, sys.stdout) + line[2:])
    for result in results:
        for problem in result.problems:
            print(printable(f"  {result.call.name}: {problem}"))
    failed = sum(bool(result.problems) for result in results)
    calls = "1 call" if len(results) == 1 else f"{len(results)} calls"
    print(f"{calls}, {f'{failed} not as expected' if failed else 'all as expected'}", flush=True)


def to_row(result: Result) -> tuple[str, ...]:
    """One call in five cells."""
    request = result.call.request
    asked = shorten(f"{request.method} {request.target}")
    mark = "no" if result.problems else "ok"
    if result.answer is None:
        return mark, result.call.name, asked, "-", "-"
    return mark, result.call.name, asked, str(result.answer.status), shorten(result.answer.text)


def shorten(text: str) -> str:
    """The text in one printable line that a table can hold."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= SHOWN else line[: SHOWN - 3] + "..."
