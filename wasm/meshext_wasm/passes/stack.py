"""Count the stack, so that deep recursion is a RecursionError and no trap.

Envoy's V8 gives about a megabyte, a frame of its baseline compiler has a place for every local. The estimate
is 16 bytes for each register that is needed at one time, and 64 for the frame; the limit is a quarter of what
there is. Functions that surely end after a bounded number of calls are not counted.
"""

from __future__ import annotations

from typing import Final

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Block, Function, Unit
from meshext_wasm.passes.calls import bounded
from meshext_wasm.passes.liveness import most_live

FRAME_BYTES: Final = 64
REGISTER_BYTES: Final = 16
OVERFLOW: Final = "overflow"


def guard_stack(unit: Unit) -> None:
    """`enter` first of all in each function that may recur, `exit` before it ends; after `add_sites`."""
    fine = bounded(unit)
    for function in unit.functions:
        if function.raises and function.symbol not in fine:
            guard(function)


def guard(function: Function) -> None:
    """One function. Where `enter` fails nothing was added, so nothing is taken away."""
    size = FRAME_BYTES + REGISTER_BYTES * most_live(function)
    loc = function.loc
    for block in function.blocks.values():
        if isinstance(block.end, ir.Return | ir.Leave):
            block.instructions.append(ir.Exit(loc=block.end.loc, bytes=size))
    function.entry.instructions.insert(0, ir.Enter(loc=loc, bytes=size, error=OVERFLOW))
    function.blocks[OVERFLOW] = Block(OVERFLOW, end=ir.Leave(loc=loc), handler=True, cold=True)
