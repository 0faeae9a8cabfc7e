"""Who calls whom in a unit, and which functions surely end after a bounded number of calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Function, Signature, Unit

CALLS: Final = (ir.Call, ir.CallMethod, ir.CallValue)


def calls_of(function: Function) -> Iterator[ir.Instruction]:
    """Every call in a function."""
    for block in function.blocks.values():
        yield from (each for each in block.instructions if isinstance(each, CALLS))


def bounded(unit: Unit) -> set[str]:
    """Functions that can not come back to themselves: what they call is bounded too, and nothing is called
    through a table, a function value or in another unit (but for what never raises there)."""
    found: set[str] = set()
    waiting = list(unit.functions)
    while True:
        now = [each for each in waiting if is_bounded(each, found, unit.signatures)]
        if not now:
            return found
        found.update(each.symbol for each in now)
        waiting = [each for each in waiting if each.symbol not in found]


def is_bounded(function: Function, found: set[str], signatures: Mapping[str, Signature]) -> bool:
    """Whether every call of a function is to a bounded one."""
    return all(
        isinstance(each, ir.Call) and (each.function in found or not signatures[each.function].raises)
        for each in calls_of(function)
    )
