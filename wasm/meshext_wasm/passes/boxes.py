"""A value that was just put in its box is taken from before it: no box, no load."""

from __future__ import annotations

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Function, Unit
from meshext_wasm.ir.trimming import remove_unreachable


def remove_boxes(unit: Unit) -> None:
    """`convert (convert a)` back to the rep of `a` becomes a copy of `a`."""
    for function in unit.functions:
        sources = boxed(function)
        for block in function.blocks.values() if sources else ():
            block.instructions = [unbox(each, sources) for each in block.instructions]
        if sources:
            remove_unreachable(function)


def boxed(function: Function) -> dict[ir.Register, ir.Register]:
    """What is in each box that is made once, of a register that is written once."""
    every = (each for block in function.blocks.values() for each in block.instructions)
    return {
        each.result: each.operands[0]
        for each in every
        if isinstance(each, ir.Convert)
        and each.result is not None
        and not each.result.variable
        and not each.operands[0].variable
    }


def unbox(instruction: ir.Instruction, sources: dict[ir.Register, ir.Register]) -> ir.Instruction:
    """The same value without its box, where there is one."""
    if not isinstance(instruction, ir.Convert) or instruction.result is None:
        return instruction
    source = sources.get(instruction.operands[0])
    if source is None or source.rep is not instruction.result.rep:
        return instruction
    return ir.Copy(loc=instruction.loc, result=instruction.result, operands=(source,))
