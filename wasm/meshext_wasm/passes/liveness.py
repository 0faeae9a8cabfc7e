"""How many registers hold something that is still needed: a backward dataflow over the graph."""

from __future__ import annotations

from meshext_wasm.ir.definite import bit, numbers
from meshext_wasm.ir.instructions import Instruction, Register
from meshext_wasm.ir.program import Block, Function, next_labels, successors


def most_live(function: Function) -> int:
    """The largest number of registers that are needed at one place."""
    bits = numbers(function)
    at_start = dict.fromkeys(function.blocks, 0)
    before = predecessors(function)
    open_ = list(function.blocks)
    most = 0
    while open_:
        label = open_.pop()
        live, here = through(function.blocks[label], at_start, bits)
        most = max(most, here)
        if live != at_start[label]:
            at_start[label] = live
            open_ += before[label]
    return most


def predecessors(function: Function) -> dict[str, list[str]]:
    """The blocks from which each one is entered."""
    found: dict[str, list[str]] = {label: [] for label in function.blocks}
    for label, block in function.blocks.items():
        for target in successors(block):
            found[target].append(label)
    return found


def through(block: Block, at_start: dict[str, int], bits: dict[Register, int]) -> tuple[int, int]:
    """What is live at the start of a block, and the most that is anywhere inside."""
    live, most = 0, 0
    for each in reversed(list(block.everything())):
        live = before(each, live, at_start, bits)
        most = max(most, live.bit_count())
    return live, most


def before(instruction: Instruction, live: int, at_start: dict[str, int], bits: dict[Register, int]) -> int:
    """What is live before an instruction, given what is after it."""
    live &= ~bit(instruction, bits)
    for label in next_labels(instruction):
        live |= at_start[label]
    for operand in instruction.operands:
        live |= bits[operand]
    return live
