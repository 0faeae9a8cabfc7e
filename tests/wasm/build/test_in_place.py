"""Functions whose calls become their code."""

from __future__ import annotations

from meshext_wasm.build.stages import IN_PLACE, build_ir
from meshext_wasm.link.kept import at_hand
from meshext_wasm.llvm.machine import emit_optimised
from meshext_wasm.llvm.unit import lower_unit
from tests.wasm.compiled import library
from tests.wasm.ir.checked import checked

SOURCE = """
def lengths(names: list[str]) -> int:
    total = 0
    for name in names:
        total += len(name) * len(names) if name else 1
    return total

def twice(names: list[str]) -> int:
    return lengths(names) + 1
"""
CALL = '@"fn:m.lengths"('


def test_a_call_becomes_the_functions_code() -> None:
    unit = build_ir(checked(SOURCE))
    assert emit_optimised(lower_unit(unit)).count(CALL) == 2
    assert emit_optimised(lower_unit(unit, in_place={"m.lengths"})).count(CALL) == 1


def test_every_one_is_a_function_of_the_library() -> None:
    defined = {name for each in library().compiled.objects for name in at_hand(each).strong}
    assert {f"fn:{each}" for each in IN_PLACE} <= defined
