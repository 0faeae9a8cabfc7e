"""A program between the stages, as text: for people who want to see what becomes of their code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from meshext_wasm.build.stages import build_ir
from meshext_wasm.ir.build.unit import build_unit
from meshext_wasm.ir.printing import print_unit
from meshext_wasm.llvm.copies import NONE, Copies
from meshext_wasm.llvm.unit import lower_unit
from meshext_wasm.tree import printing
from meshext_wasm.tree.program import Unit


def show_llvm(unit: Unit, copies: Copies = NONE) -> str:
    """What LLVM gets: small functions of the library are there for its optimiser alone."""
    return lower_unit(build_ir(unit, copies), copies)


def show_optimised(unit: Unit, copies: Copies = NONE) -> str:
    """LLVM's text after its passes."""
    from meshext_wasm.llvm.machine import emit_optimised  # LLVM itself is imported when it is needed

    return emit_optimised(show_llvm(unit, copies))


def show_assembly(unit: Unit, copies: Copies = NONE) -> str:
    """WebAssembly as text."""
    from meshext_wasm.llvm.machine import emit_assembly  # as above

    return emit_assembly(show_llvm(unit, copies))


STAGES: Final[dict[str, Callable[[Unit, Copies], str]]] = {
    "tree": lambda unit, _: printing.print_unit(unit),
    "built-ir": lambda unit, _: print_unit(build_unit(unit)),
    "ir": lambda unit, copies: print_unit(build_ir(unit, copies)),
    "llvm": show_llvm,
    "optimised-llvm": show_optimised,
    "assembly": show_assembly,
}
"""The checked core language; the IR as built, and after the passes; LLVM's before and after its own; wasm as
text. Each of the program's own modules, with what the library lends them."""
