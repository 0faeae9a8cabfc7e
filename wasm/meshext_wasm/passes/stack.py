"""Count the stack, so that deep recursion is a RecursionError and no trap.

Envoy's V8 gives about a megabyte, a frame of its baseline compiler has a place for every local. The estimate
is 16 bytes for each register that is needed at one time, and 64 for the frame; the limit is a quarter of what
there is. Only functions on a cycle of calls count, for themselves and for the deepest of what they call that
does not count.
"""

from __future__ import annotations

from typing import Final

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Block, Function, Unit
from meshext_wasm.passes.calls import add_up, recursive
from meshext_wasm.passes.liveness import most_live

FRAME_BYTES: Final = 64
REGISTER_BYTES: Final = 16
OUTSIDE_BYTES: Final = 512
"""For what functions of other units take."""
OVERFLOW: Final = "overflow"


def guard_stack(unit: Unit) -> None:
    """`enter` first of all in each function that may recur, `exit` before it ends; after `add_sites`."""
    counted = recursive(unit)
    guarded = [each for each in unit.functions if each.raises and each.symbol in counted]
    sizes = add_up(unit, [each.symbol for each in guarded], counted, frame_bytes, OUTSIDE_BYTES, max)
    for function in guarded:
        guard(function, sizes[function.symbol])


def frame_bytes(function: Function) -> int:
    """The estimate for one frame."""
    return FRAME_BYTES + REGISTER_BYTES * most_live(function)


def guard(function: Function, size: int) -> None:
    """One function. Where `enter` fails nothing was added, so nothing is taken away."""
    loc = function.loc
    for block in function.blocks.values():
        if isinstance(block.end, ir.Return | ir.Leave):
            block.instructions.append(ir.Exit(loc=block.end.loc, bytes=size))
    function.entry.instructions.insert(0, ir.Enter(loc=loc, bytes=size, error=OVERFLOW))
    function.blocks[OVERFLOW] = Block(OVERFLOW, end=ir.Leave(loc=loc), handler=True, cold=True)
