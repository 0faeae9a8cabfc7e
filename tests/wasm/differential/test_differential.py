"""A small share of what `python -m tests.wasm.differential` runs, and every case that once differed."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from tests.wasm.differential.results import COUNTED, FILE, add_up, read_lines
from tests.wasm.differential.running import inputs, run_seeds, run_sources
from tests.wasm.differential.shrinking import minimise, smaller

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))


def test_generated_programs_do_what_cpython_does() -> None:
    tally = run_seeds(1, range(40))
    assert tally.differences == []
    assert tally.broken == []
    assert tally.same + len(tally.refused) == 40
    assert tally.same >= 36


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_what_once_differed_agrees(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tally = run_sources([text], [[*arguments_in(text), *inputs(path.stem)]])
    assert tally.differences == []
    assert tally.refused == []
    assert tally.broken == []


def test_the_results_say_how_many_programs_agreed() -> None:
    lines = read_lines(FILE)
    total = add_up(lines)
    assert json.loads(FILE.read_text(encoding="utf-8").splitlines()[-1]) == total
    assert total["distinct"] == sum(total[name] for name in COUNTED)
    assert (total["unexplained"], total["broken"]) == (0, 0)


def arguments_in(text: str) -> list[list[Any]]:
    """The arguments that a case differed with: `# with [...]` on its first line."""
    first = text.splitlines()[0]
    if not first.startswith("# with "):
        return []
    return [eval(first.removeprefix("# with "), {"inf": float("inf"), "nan": float("nan")})]


def test_shrinking_keeps_what_matters_and_nothing_else() -> None:
    source = (
        "def p0(a):\n    b = 1\n    if a:\n        for _ in a:\n            c = f(a + 1, [b])\n    return b\n"
    )
    kept = minimise(source, lambda candidates: ["f(" in each for each in candidates])
    assert kept == "def p0(a):\n    f()"
    assert all(ast.parse(each) for each in smaller(source))
