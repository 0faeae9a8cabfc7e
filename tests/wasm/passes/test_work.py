"""How much a function may do between two charges."""

from __future__ import annotations

import textwrap

import pytest

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Function, Unit
from meshext_wasm.passes.budget import charge_budget
from meshext_wasm.passes.calls import recursive
from meshext_wasm.passes.work import MUCH, Work
from tests.wasm.ir.running import built


def longest(source: str) -> dict[str, int]:
    unit = built(textwrap.dedent(source))
    return {symbol: ways.longest for symbol, ways in Work(unit, recursive(unit)).measure().items()}


def charges(source: str, symbol: str = "m.f") -> list[int]:
    unit = built(textwrap.dedent(source))
    charge_budget(unit)
    return [each.steps for each in instructions_of(unit, symbol) if isinstance(each, ir.Charge)]


def instructions_of(unit: Unit, symbol: str) -> list[ir.Instruction]:
    (function,) = (each for each in unit.functions if each.symbol == symbol)
    assert isinstance(function, Function)
    return [each for block in function.blocks.values() for each in block.instructions]


def body(lines: int) -> str:
    return "".join(f"  n = n * {number} % 1000\n" for number in range(1, lines + 1))


def test_a_longer_body_is_charged_more_at_each_round() -> None:
    *_, short = charges(f"def f(n):\n while True:\n{body(3)}")
    *_, long = charges(f"def f(n):\n while True:\n{body(300)}")
    assert 50 * short < long < 150 * short


def test_the_longer_branch_counts_and_the_shorter_does_not() -> None:
    def branches(first: int, second: int) -> int:
        return max(
            charges(
                f"def f(n):\n while True:\n  if n > 3:\n{body(first).replace('  n', '   n')}"
                f"  else:\n{body(second).replace('  n', '   n')}  n = n + 1\n"
            )
        )

    assert branches(40, 1) == branches(40, 39)
    assert abs(branches(1, 40) - branches(40, 1)) <= 1


def test_what_a_called_function_does_is_in_its_callers_work() -> None:
    found = longest("def g(n):\n return n * 3 % 7\ndef f(n):\n return g(g(n)) + g(n)\n")
    assert found["m.f"] > 3 * found["m.g"]


def test_a_function_that_does_much_charges_itself_and_not_its_callers() -> None:
    source = f"def g(n):\n{body(100).replace('  n', ' n')} return n\ndef f(n):\n return g(n) + 1\n"
    found = longest(source)
    assert found["m.g"] >= MUCH > found["m.f"]
    assert len(charges(source, "m.g")) == 1
    assert charges(source) == []


@pytest.mark.parametrize("inner", ["continue", "pass"])
def test_a_loop_within_a_loop_is_charged_for_itself(inner: str) -> None:
    steps = charges(
        f"def f(n):\n while n > 0:\n{body(50)}  while n % 7:\n   n = n - 1\n   {inner}\n  n = n - 1\n"
    )
    assert len(steps) >= 2
    assert min(steps) * 20 < max(steps)
