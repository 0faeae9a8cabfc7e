"""Which registers surely have a value at the start of each block: a forward dataflow over the graph."""

from __future__ import annotations

from collections.abc import Iterator

from meshext_wasm.ir.instructions import LEAVE, Instruction, Register
from meshext_wasm.ir.program import Block, Function, next_labels


def written_at_start(function: Function, bits: dict[Register, int]) -> dict[str, int]:
    """For each block that can run, the registers that every way to it has written, as a set of bits."""
    first = 0
    for parameter in function.parameters:
        first |= bits[parameter]
    found, open_ = {function.entry.label: first}, [function.entry.label]
    ways: dict[str, dict[str, int]] = {}
    while open_:
        label = open_.pop()
        if label not in ways:
            ways[label] = leaving(function.blocks[label], bits)
        at_start = found[label]
        for target, written in ways[label].items():
            before = found.get(target)
            now = at_start | written if before is None else before & (at_start | written)
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
    found: list[Register] = []
    for block in function.blocks.values():
        found += [each.result for each in block.everything() if each.result is not None]
    return found


def leaving(block: Block, bits: dict[Register, int]) -> dict[str, int]:
    """Where control may go from a block, with what it has surely written then; a raising instruction writes
    nothing. What is written only grows, so the first way to a label has the least."""
    ways: dict[str, int] = {}
    written = 0
    for each in block.instructions:
        if each.error is not None and each.error != LEAVE:
            ways.setdefault(each.error, written)
        if each.result is not None:
            written |= bits[each.result]
    if block.end is not None:
        for label in next_labels(block.end):
            ways.setdefault(label, written)
    return ways


def unwritten_reads(function: Function) -> Iterator[tuple[Block, Instruction, Register]]:
    """Every read of a register that some way to it has not written; blocks that can not run are left out."""
    bits = numbers(function)
    yield from reads_before(function, bits, written_at_start(function, bits))


def reads_before(
    function: Function, bits: dict[Register, int], at_start: dict[str, int]
) -> Iterator[tuple[Block, Instruction, Register]]:
    """The same, where it is known what each block starts with."""
    for label, written in at_start.items():
        block = function.blocks[label]
        for each in block.everything():
            for operand in each.operands:
                if not written & bits.get(operand, 0):
                    yield block, each, operand
            if each.result is not None:
                written |= bits[each.result]
