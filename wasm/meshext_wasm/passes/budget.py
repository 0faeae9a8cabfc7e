"""Charge the step budget, so that nothing runs for ever: on each way back in a loop for the longest way
round, and where a function begins that may come back to itself or does much, for the longest way through."""

from __future__ import annotations

from typing import Final

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Function, Unit, next_labels
from meshext_wasm.passes.calls import recursive
from meshext_wasm.passes.work import MUCH, STEP, Ways, Work
from meshext_wasm.tree.program import Loc

LEAST: Final = 2
"""Steps of a loop that does nothing: going round takes about a nanosecond too."""


def charge_budget(unit: Unit) -> None:
    """Every function but those that the library declares never to raise: their callers charge for them."""
    counted = recursive(unit)
    found = Work(unit, counted).measure()
    for function in unit.functions:
        if not function.raises:
            continue
        ways = found[function.symbol]
        charge_loops(function, ways)
        if function.symbol in counted or ways.longest >= MUCH:
            function.entry.instructions.insert(0, charge(function.loc, ways.longest))


def charge_loops(function: Function, ways: Ways) -> None:
    """Before the end of each block that goes back; after `catch` where an error edge goes back."""
    places: dict[str, tuple[int, int]] = {}
    for source, target in ways.back:
        block = function.blocks[source]
        work = ways.around(source, target)
        if block.end is not None and target in next_labels(block.end):
            label, place = source, len(block.instructions)
        else:
            label, place = target, 1
        places[label] = (place, max(work, places.get(label, (0, 0))[1]))
    for label, (place, work) in places.items():
        block = function.blocks[label]
        assert block.end is not None
        block.instructions.insert(place, charge(block.end.loc, work))


def charge(loc: Loc, work: int) -> ir.Charge:
    """Its end can not be caught: it leaves the function."""
    return ir.Charge(loc=loc, steps=max(LEAST, work // STEP), error=ir.LEAVE)
