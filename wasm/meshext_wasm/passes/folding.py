"""Branches whose way is known, and the blocks that nothing reaches then."""

from __future__ import annotations

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Block, Function, Unit
from meshext_wasm.ir.trimming import remove_unreachable


def fold_branches(unit: Unit) -> None:
    """A branch on a constant, or with one target only, becomes a jump."""
    for function in unit.functions:
        known = constants(function)
        for block in function.blocks.values():
            fold(block, known)
        remove_unreachable(function)


def constants(function: Function) -> dict[ir.Register, bool]:
    """The registers that hold the same truth all the time."""
    every = (each for block in function.blocks.values() for each in block.instructions)
    return {
        each.result: each.value
        for each in every
        if isinstance(each, ir.Constant)
        and isinstance(each.value, bool)
        and each.result is not None
        and not each.result.variable
    }


def fold(block: Block, known: dict[ir.Register, bool]) -> None:
    """One block's end."""
    end = block.end
    if not isinstance(end, ir.Branch):
        return
    truth = known.get(end.operands[0])
    if end.then == end.otherwise:
        truth = True
    if truth is not None:
        block.end = ir.Jump(loc=end.loc, target=end.then if truth else end.otherwise)
