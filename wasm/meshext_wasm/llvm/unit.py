"""A unit of the IR to LLVM's text, and on to an object."""

from __future__ import annotations

from meshext_wasm.ir.program import Unit
from meshext_wasm.llvm.classes import emit_class
from meshext_wasm.llvm.functions import FunctionLowering
from meshext_wasm.llvm.lint import check_text
from meshext_wasm.llvm.machine import emit_object
from meshext_wasm.llvm.names import UNSET
from meshext_wasm.llvm.outer import Outer


def lower_unit(unit: Unit) -> str:
    """The text of everything that the unit defines."""
    outer = Outer()
    outer.defined |= {f"fn:{each.symbol}" for each in unit.functions}
    for variable in unit.globals:
        symbol = f"global:{variable.symbol}"
        outer.define(symbol, f'global i64 {UNSET}, section "roots.{variable.symbol}", align 8')
    for cls in unit.classes:
        emit_class(outer, cls)
    functions = [FunctionLowering(each, unit.signatures, outer).lower() for each in unit.functions]
    return "\n".join([outer.text(), *functions])


def compile_unit(unit: Unit) -> bytes:
    """The object of a unit."""
    text = lower_unit(unit)
    check_text(text)
    return emit_object(text)
