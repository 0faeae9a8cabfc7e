"""Programs of the language: what they give compiled is what CPython gives."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.wasm.compiled import compiled, outcome_of

FOLDER = Path(__file__).parent / "programs"
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.txt"))}


def run(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program under CPython; dataclasses look their module up."""
    module = ModuleType("program")
    monkeypatch.setitem(sys.modules, "program", module)
    exec(compile(TEXTS[name], f"{name}.txt", "exec", dont_inherit=True), module.__dict__)
    return module


CASES = [
    (name, line.removeprefix("def ").partition("(")[0])
    for name, text in TEXTS.items()
    for line in text.splitlines()
    if line.startswith("def case_")
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_same_as_cpython(name: str, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = compiled(TEXTS[name])
    assert program.outcome(case) == outcome_of(getattr(run(name, monkeypatch), case))
