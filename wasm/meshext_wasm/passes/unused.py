"""Instructions whose result nobody reads and that do nothing else."""

from __future__ import annotations

from collections import Counter
from typing import Final

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Function, Unit
from meshext_wasm.ir.trimming import remove_unreachable
from meshext_wasm.tree.intrinsics import OPERATIONS
from meshext_wasm.tree.types import Rep

PURE: Final = (
    ir.Constant,
    ir.Copy,
    ir.Convert,
    ir.ClassValue,
    ir.Descriptor,
    ir.InstanceTest,
    ir.ReadGlobal,
    ir.ReadSlot,
)
IMPURE_OPERATIONS: Final = frozenset({"memory.grow", "guard.call", "guard.taken"})


def remove_unused(unit: Unit) -> None:
    """A box that is not made raises no MemoryError; nothing else changes."""
    for function in unit.functions:
        while remove_once(function):
            remove_unreachable(function)


def remove_once(function: Function) -> bool:
    """Drop what is unused now; whether anything was."""
    reads = Counter(
        operand
        for block in function.blocks.values()
        for each in block.everything()
        for operand in each.operands
    )
    dropped = False
    for block in function.blocks.values():
        kept = [
            each
            for each in block.instructions
            if each.result is None or reads[each.result] or not is_pure(each)
        ]
        dropped = dropped or len(kept) < len(block.instructions)
        block.instructions = kept
    return dropped


def is_pure(instruction: ir.Instruction) -> bool:
    """Whether it does nothing but write its result. Writing a checked variable's `unset` is that too."""
    if isinstance(instruction, ir.Intrinsic):
        row = OPERATIONS[instruction.name]
        return not row.raises and row.gives is not Rep.NOTHING and row.name not in IMPURE_OPERATIONS
    return isinstance(instruction, PURE)
