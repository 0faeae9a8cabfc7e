"""How many registers hold something that is still needed, at the place where they are the most."""

from __future__ import annotations

from meshext_wasm.ir.definite import numbers
from meshext_wasm.ir.liveness import backwards, live_bits
from meshext_wasm.ir.program import Function


def most_live(function: Function) -> int:
    """The largest number of registers that are needed at one place."""
    bits = numbers(function)
    at_start = live_bits(function, bits)
    inside = [live for block in function.blocks.values() for live in backwards(block, at_start, bits, 0)]
    return max(map(int.bit_count, inside), default=0)
