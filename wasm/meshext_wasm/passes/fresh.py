"""What a callback made itself is new: writing to it needs no barrier, and nobody sees its slots before they
are written.

New is what a function made, and `self` in an `__init__`, which is called for a new instance. Where one is
called for another (`super().__init__()` in a method), the heap counts as dirty.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Block, Function, Unit
from meshext_wasm.passes.once import written_once
from meshext_wasm.tree.types import Rep

INIT: Final = "__init__"
MAKING: Final = (ir.MakeInstance, ir.MakeArray)


def drop_barriers(unit: Unit) -> None:
    """In every function."""
    classes = {each.symbol for each in unit.classes}
    for function in unit.functions:
        once = written_once(function)
        fresh, still = find_fresh(function, once)
        owner, _, name = function.symbol.rpartition(".")
        if name == INIT and owner in classes and function.parameters[0] in once:
            fresh.add(function.parameters[0])
        for block in function.blocks.values():
            drop_in(block, fresh, still)
            bare_in(block, once)


def find_fresh(function: Function, once: set[ir.Register]) -> tuple[set[ir.Register], set[ir.Register]]:
    """Registers that hold what the function itself made; those that hold no object of the heap, but literals
    and truth values."""
    fresh, still = set[ir.Register](), set[ir.Register]()
    copies: list[ir.Copy] = []
    for block in function.blocks.values():
        for each in block.instructions:
            if each.result is None or each.result not in once:
                continue
            if isinstance(each, MAKING) or (isinstance(each, ir.Intrinsic) and each.name == "instance.new"):
                fresh.add(each.result)
            elif isinstance(each, ir.Constant) or is_truth(each):
                still.add(each.result)
            elif isinstance(each, ir.Copy):
                copies.append(each)
    for found in (fresh, still):
        follow(found, copies)
    return fresh, still


def follow(found: set[ir.Register], copies: list[ir.Copy]) -> None:
    """Add what copies of copies hold the same."""
    while True:
        more = {each.result for each in copies if each.result is not None and each.operands[0] in found}
        if more <= found:
            return
        found |= more


def is_truth(instruction: ir.Instruction) -> bool:
    """Whether it makes a value of a BOOL."""
    return isinstance(instruction, ir.Convert) and instruction.operands[0].rep is Rep.BOOL


def drop_in(block: Block, fresh: set[ir.Register], still: set[ir.Register]) -> None:
    """One block's writes, and its calls of `__init__` for what is not new."""
    written: list[ir.Instruction] = []
    for each in block.instructions:
        if isinstance(each, ir.WriteSlot) and (each.operands[0] in fresh or each.operands[1] in still):
            written.append(replace(each, barrier=False))
            continue
        if starts_again(each, fresh):
            one = ir.Register(f"dirty.{block.label}.{len(written)}", Rep.WORD)
            written.append(ir.Constant(loc=each.loc, result=one, value=1))
            written.append(ir.Intrinsic(loc=each.loc, operands=(one,), name="heap.set_dirty"))
        written.append(each)
    block.instructions = written


def starts_again(instruction: ir.Instruction, fresh: set[ir.Register]) -> bool:
    """Whether it calls an `__init__` for what may be old."""
    if isinstance(instruction, ir.Call):
        name = instruction.function.rpartition(".")[2]
    elif isinstance(instruction, ir.CallMethod):
        name = instruction.method
    else:
        return False
    return name == INIT and bool(instruction.operands) and instruction.operands[0] not in fresh


def bare_in(block: Block, once: set[ir.Register]) -> None:
    """Slots that are written before anything else can look at the instance need not be made unset."""
    for index, each in enumerate(block.instructions):
        if isinstance(each, ir.MakeInstance) and each.result in once:
            written = first_writes(block.instructions[index + 1 :], each.result, once)
            if written:
                unset = tuple(number for number in each.unset if number not in written)
                block.instructions[index] = replace(each, unset=unset)


def first_writes(rest: list[ir.Instruction], made: ir.Register, once: set[ir.Register]) -> set[int]:
    """The slots of a new instance that are written before it is used in any other way."""
    same, written = {made}, set[int]()
    for each in rest:
        if isinstance(each, ir.WriteSlot) and each.operands[0] in same and each.operands[1] not in same:
            written.add(each.index)
        elif isinstance(each, ir.Copy) and each.operands[0] in same and each.result is not None:
            if each.result not in once:
                return written
            same.add(each.result)
        elif not same.isdisjoint(each.operands):
            return written
    return written
