"""A program between the stages, as text: for people who want to see what becomes of their code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from meshext_wasm.build.stages import build_ir
from meshext_wasm.ir import program as ir
from meshext_wasm.ir.build.unit import build_unit
from meshext_wasm.ir.printing import print_unit
from meshext_wasm.llvm.unit import lower_unit
from meshext_wasm.tree import printing
from meshext_wasm.tree.program import Unit


def show_optimised(unit: ir.Unit) -> str:
    """LLVM's text after its passes."""
    from meshext_wasm.llvm.machine import emit_optimised  # LLVM itself is imported when it is needed

    return emit_optimised(lower_unit(unit))


def show_assembly(unit: ir.Unit) -> str:
    """WebAssembly as text."""
    from meshext_wasm.llvm.machine import emit_assembly  # as above

    return emit_assembly(lower_unit(unit))


STAGES: Final[dict[str, Callable[[Unit], str]]] = {
    "tree": printing.print_unit,
    "built-ir": lambda unit: print_unit(build_unit(unit)),
    "ir": lambda unit: print_unit(build_ir(unit)),
    "llvm": lambda unit: lower_unit(build_ir(unit)),
    "optimised-llvm": lambda unit: show_optimised(build_ir(unit)),
    "assembly": lambda unit: show_assembly(build_ir(unit)),
}
"""The checked core language; the IR as built, and after the passes; LLVM's before and after its own; wasm as
text. Each of the program's own modules, not of the library."""
