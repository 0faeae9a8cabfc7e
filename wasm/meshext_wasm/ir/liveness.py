"""Which registers are still needed at the start of each block: a backward dataflow over the graph."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from meshext_wasm.ir.definite import numbers
from meshext_wasm.ir.instructions import LEAVE, Register
from meshext_wasm.ir.program import Block, Function, next_labels, successors

NOTHING: Mapping[str, str] = MappingProxyType({})


def live_at_start(function: Function, follows: Mapping[str, str]) -> dict[str, frozenset[Register]]:
    """For each block the registers that something after its start may read before it writes them. `follows`:
    blocks whose end leaves the function, each with the one that runs when it is called again."""
    bits = numbers(function)
    return {
        label: frozenset(each for each, own in bits.items() if live & own)
        for label, live in live_bits(function, bits, follows).items()
    }


def live_bits(
    function: Function, bits: dict[Register, int], follows: Mapping[str, str] = NOTHING
) -> dict[str, int]:
    """The same as sets of bits."""
    at_start = dict.fromkeys(function.blocks, 0)
    entered = predecessors(function)
    for label, target in follows.items():
        entered[target].append(label)
    open_ = dict.fromkeys(function.blocks)
    while open_:
        label, _ = open_.popitem()
        at_end = at_start[follows[label]] if label in follows else 0
        live = backwards(function.blocks[label], at_start, bits, at_end)[-1]
        if live != at_start[label]:
            at_start[label] = live
            open_.update(dict.fromkeys(entered[label]))
    return at_start


def predecessors(function: Function) -> dict[str, list[str]]:
    """The blocks from which each one is entered."""
    found: dict[str, list[str]] = {label: [] for label in function.blocks}
    for label, block in function.blocks.items():
        for target in successors(block):
            found[target].append(label)
    return found


def backwards(block: Block, at_start: dict[str, int], bits: dict[Register, int], at_end: int) -> list[int]:
    """What is live at the end of a block, before its last instruction and so on, as sets of bits; the last is
    what is live at its start."""
    live, found = at_end, [at_end]
    for each in reversed(block.everything()):
        if each.result is not None:
            live &= ~bits[each.result]
        if each is block.end:
            for label in next_labels(each):
                live |= at_start[label]
        elif each.error is not None and each.error != LEAVE:
            live |= at_start[each.error]
        for operand in each.operands:
            live |= bits[operand]
        found.append(live)
    return found
