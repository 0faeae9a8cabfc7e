"""Which registers surely have a value at the start of each block: a forward dataflow over the graph."""

from __future__ import annotations

from collections.abc import Iterator

from meshext_wasm.ir.instructions import Instruction, Register
from meshext_wasm.ir.program import Block, Function, next_labels


def written_at_start(function: Function) -> dict[str, int]:
    """For each block that can run, the registers that every way to it has written, as a set of bits."""
    bits = numbers(function)
    first = 0
    for parameter in function.parameters:
        first |= bits[parameter]
    found, open_ = {function.entry.label: first}, [function.entry.label]
    while open_:
        label = open_.pop()
        for target, written in leaving(function.blocks[label], found[label], bits):
            before = found.get(target)
            now = written if before is None else before & written
            if now != before:
                found[target] = now
                open_.append(target)
    return found


def numbers(function: Function) -> dict[Register, int]:
    """A bit for each register that the function writes."""
    bits: dict[Register, int] = {}
    for register in [*function.parameters, *results(function)]:
        bits.setdefault(register, 1 << len(bits))
    return bits


def results(function: Function) -> list[Register]:
    """The registers that instructions write, each as often as it is written."""
    every = (each for block in function.blocks.values() for each in block.everything())
    return [each.result for each in every if each.result is not None]


def leaving(block: Block, written: int, bits: dict[Register, int]) -> list[tuple[str, int]]:
    """Where control may go from a block, with what is written then; a raising instruction writes nothing."""
    ways: list[tuple[str, int]] = []
    for each in block.everything():
        if each.error is not None or each is block.end:  # others only go on
            ways += [(label, written) for label in next_labels(each)]
        if each.result is not None:
            written |= bits[each.result]
    return ways


def unwritten_reads(function: Function) -> Iterator[tuple[Block, Instruction, Register]]:
    """Every read of a register that some way to it has not written; blocks that can not run are left out."""
    bits, at_start = numbers(function), written_at_start(function)
    for label, written in at_start.items():
        block = function.blocks[label]
        for each in block.everything():
            for operand in each.operands:
                if not written & bits.get(operand, 0):
                    yield block, each, operand
            if each.result is not None:
                written |= bits[each.result]
