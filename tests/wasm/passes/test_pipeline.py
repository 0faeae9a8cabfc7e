"""All passes together: the same outcome as CPython, and every budget holds."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given, settings

from meshext_wasm.ir.program import Unit
from meshext_wasm.passes.pipeline import run_passes
from tests.wasm.ir.interpreter import Exhausted
from tests.wasm.ir.programs import programs
from tests.wasm.ir.running import built, in_ir, in_python, run
from tests.wasm.ir.test_build import CASES


def passed(source: str) -> Unit:
    unit = built(textwrap.dedent(source))
    run_passes(unit)
    return unit


@pytest.mark.parametrize("name", CASES)
def test_passes_keep_what_a_function_does(name: str) -> None:
    unit = passed(CASES[name])
    for n in range(-2, 20):
        expected, log = in_python(textwrap.dedent(CASES[name]), "f", n)
        result, told = in_ir(unit, "f", n)
        assert told == log
        assert result == expected or callable(expected)


@given(programs())
@settings(max_examples=60)
def test_passes_keep_what_any_program_does(source: str) -> None:
    unit = passed(source)
    for n in (0, 1, 3, 8):
        assert in_ir(unit, "f", n) == in_python(source, "f", n)


ENDLESS = {
    "loop": "def f(n):\n while True:\n  pass\n",
    "handler": """
        def f(n):
            while True:
                try:
                    n // 0
                except Exception:
                    continue
                finally:
                    log(1)
    """,
    "raising in a handler": """
        def f(n):
            while True:
                try:
                    try:
                        n // 0
                    except Exception:
                        raise KeyError()
                except Exception:
                    pass
    """,
    "calls": "def g(n):\n return n\ndef f(n):\n return 0 if n == 0 else f(n - 1) + f(n - 1)\n",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_the_step_budget_ends_what_does_not_end(name: str) -> None:
    machine = run(passed(ENDLESS[name]), budget=500, steps=100_000)
    with pytest.raises(Exhausted, match="budget"):
        machine.call("m.f", 64)


def test_deep_recursion_is_an_error_and_leaves_the_count_as_it_was() -> None:
    unit = passed("def f(n):\n return 0 if n == 0 else f(n - 1) + 1\n")
    assert in_ir(unit, "f", 100_000) == ("RecursionError", [])


def test_the_traceback_has_a_line_for_each_function_innermost_first() -> None:
    unit = passed("""
        def g(n):
            return 1 // n
        def f(n):
            try:
                g(n)
            finally:
                log(n)
    """)
    machine = run(unit)
    with pytest.raises(Exception, match="ZeroDivisionError"):
        machine.call("m.f", 0)
    assert machine.sites == [("g", 3), ("f", 6)]
