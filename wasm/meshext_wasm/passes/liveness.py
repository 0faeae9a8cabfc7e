"""How many registers hold something that is still needed, at the place where they are the most."""

from __future__ import annotations

from meshext_wasm.ir.definite import numbers
from meshext_wasm.ir.instructions import Register
from meshext_wasm.ir.liveness import before, live_bits
from meshext_wasm.ir.program import Block, Function


def most_live(function: Function) -> int:
    """The largest number of registers that are needed at one place."""
    bits = numbers(function)
    at_start = live_bits(function, bits)
    return max((most_inside(block, at_start, bits) for block in function.blocks.values()), default=0)


def most_inside(block: Block, at_start: dict[str, int], bits: dict[Register, int]) -> int:
    """The most that are live anywhere inside of a block."""
    live, most = 0, 0
    for each in reversed(list(block.everything())):
        live = before(each, live, at_start, bits)
        most = max(most, live.bit_count())
    return most
