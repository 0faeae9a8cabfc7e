"""A small share of what `python -m tests.wasm.differential` runs, and every case that once differed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wasm.differential.running import inputs, run_seeds, run_sources

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))


def test_generated_programs_do_what_cpython_does() -> None:
    tally = run_seeds(1, range(12))
    assert tally.differences == []
    assert tally.same >= 11


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_what_once_differed_agrees(path: Path) -> None:
    tally = run_sources(
        [path.read_text(encoding="utf-8")], [inputs(path.stem) + inputs(path.stem + " again")]
    )
    assert tally.differences == []
    assert tally.refused == []
