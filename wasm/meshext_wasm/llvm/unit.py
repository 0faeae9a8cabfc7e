"""A unit of the IR to LLVM's text, and on to an object."""

from __future__ import annotations

from collections.abc import Container

from meshext_wasm.ir.program import Unit
from meshext_wasm.llvm.classes import emit_class
from meshext_wasm.llvm.copies import NONE, Copies
from meshext_wasm.llvm.functions import FunctionLowering
from meshext_wasm.llvm.lint import check_text
from meshext_wasm.llvm.names import UNSET
from meshext_wasm.llvm.outer import Outer, ask

FUNCTION = "fn:"


def lower_unit(
    unit: Unit, copies: Copies = NONE, *, compact: bool = False, in_place: Container[str] = ()
) -> str:
    """The text of everything that the unit defines, and of small functions of others that it calls.

    `in_place` are the symbols of functions whose calls are to become their code, in this unit.
    """
    outer = Outer(compact=compact)
    outer.defined |= {f"fn:{each.symbol}" for each in unit.functions}
    for variable in unit.globals:
        symbol = f"global:{variable.symbol}"
        outer.define(symbol, f'global i64 {UNSET}, section "roots.{variable.symbol}", align 8')
    for cls in unit.classes:
        emit_class(outer, cls)
    functions = [
        FunctionLowering(each, unit.signatures, outer, in_place=each.symbol in in_place).lower()
        for each in unit.functions
    ]
    functions += add_copies(outer, copies)
    return "\n".join([outer.text(), *functions])


def add_copies(outer: Outer, copies: Copies) -> list[str]:
    """The small functions that are called, and those that they call."""
    made: list[str] = []
    while True:
        found = [each for each in outer.undefined(FUNCTION) if each in copies.functions]
        if not found:
            return made
        outer.defined |= {f"{FUNCTION}{each}" for each in found}
        for each in found:
            copy = copies.functions[each]
            ask(outer, copy.asked)
            made.append(copy.text)


def compile_unit(unit: Unit) -> bytes:
    """The object of a unit."""
    from meshext_wasm.llvm.machine import emit_object  # LLVM itself: a tenth of a second to import

    text = lower_unit(unit)
    check_text(text)
    return emit_object(text)
