"""Programs that fail, compiled: by class and text as in CPython, or by a limit; never by a trap."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from tests.wasm.compiled import Program, Raised, compiled, outcome_of
from tests.wasm.failing import FAILING, LIMITED, LIMITS

BUDGET = 20_000_000
HELPERS = {"numbers", "words"}
NAMES = [
    node.name
    for node in ast.parse(FAILING).body
    if isinstance(node, ast.FunctionDef) and node.name not in HELPERS
]


def real() -> dict[str, Any]:
    """The module in CPython."""
    names: dict[str, Any] = {"__name__": __name__}
    exec(FAILING, names)
    return names


REAL = real()


@pytest.mark.parametrize("name", NAMES)
def test_fails_as_in_cpython(name: str) -> None:
    expected = outcome_of(REAL[name])
    assert expected[0] == "raised"
    assert compiled(FAILING).outcome(name) == expected


@pytest.mark.parametrize("name", LIMITS)
def test_ends_by_a_limit(name: str) -> None:
    program = Program(compiled(LIMITED).module)  # a fresh memory
    result = program.call(name, budget=BUDGET)
    assert isinstance(result, Raised)
    assert result.name in LIMITS[name]
