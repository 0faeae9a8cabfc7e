"""Charge the step budget, so that nothing runs for ever: on each way back in a loop, and where a function
begins that may come back to itself or that calls many others."""

from __future__ import annotations

from typing import Final

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Function, Unit, next_labels
from meshext_wasm.passes.calls import add_up, recursive
from meshext_wasm.passes.edges import back_edges
from meshext_wasm.tree.program import Loc

LOOP_STEPS: Final = 1
CALL_STEPS: Final = 2
OUTSIDE_WORK: Final = 4
"""Calls that a call of another unit stands for."""
MUCH_WORK: Final = 32
"""A function that may make so many calls, counted through those that do not charge, charges itself."""


def charge_budget(unit: Unit) -> None:
    """Every function but those that the library declares never to raise: their callers charge for them."""
    counted = recursive(unit)
    work = add_up(unit, counted, lambda _: 1, OUTSIDE_WORK, lambda a, b: min(a + b, MUCH_WORK))
    for function in unit.functions:
        if not function.raises:
            continue
        charge_loops(function)
        if function.symbol in counted or work[function.symbol] >= MUCH_WORK:
            function.entry.instructions.insert(0, charge(function.loc, CALL_STEPS))


def charge_loops(function: Function) -> None:
    """Before the end of each block that goes back; after `catch` where an error edge goes back."""
    places: dict[str, int] = {}
    for source, target in back_edges(function):
        block = function.blocks[source]
        if block.end is not None and target in next_labels(block.end):
            places[source] = len(block.instructions)
        else:
            places[target] = 1
    for label, place in places.items():
        block = function.blocks[label]
        assert block.end is not None
        block.instructions.insert(place, charge(block.end.loc, LOOP_STEPS))


def charge(loc: Loc, steps: int) -> ir.Charge:
    """Its end can not be caught: it leaves the function."""
    return ir.Charge(loc=loc, steps=steps, error=ir.LEAVE)
