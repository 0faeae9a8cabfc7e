"""Who calls whom in a unit: which functions may come back to themselves, and how deep the others go.

Units are layers: a function of another unit is called directly only if it stands lower, and from there one
comes back only through a table or a function value. So every cycle of calls goes through a function that
calls in such a way, or through direct calls inside one unit. Those functions count the stack, no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Function, Unit

UNKNOWN: Final = (ir.CallMethod, ir.CallValue)


def instructions_of(function: Function) -> Iterator[ir.Instruction]:
    """All instructions of a function but the ends of its blocks."""
    for block in function.blocks.values():
        yield from block.instructions


def direct_calls(function: Function) -> list[str]:
    """Symbols of the functions it calls directly, one for each call."""
    return [each.function for each in instructions_of(function) if isinstance(each, ir.Call)]


def recursive(unit: Unit) -> set[str]:
    """Functions that may be running twice at once, but for those that only such a function brings back."""
    calls = {each.symbol: dict.fromkeys(direct_calls(each)) for each in unit.functions}
    unknown = {
        each.symbol
        for each in unit.functions
        if any(isinstance(call, UNKNOWN) for call in instructions_of(each))
    }
    return unknown | in_cycles(calls)


def in_cycles(calls: dict[str, dict[str, None]]) -> set[str]:
    """Functions that reach themselves by direct calls: what is left when those are taken away, over and over,
    that call nobody left, and those that nobody left calls."""
    callers: dict[str, dict[str, None]] = {symbol: {} for symbol in calls}
    for symbol, called in calls.items():
        for each in called:
            if each in callers:
                callers[each][symbol] = None
    inside = {symbol: {each for each in called if each in calls} for symbol, called in calls.items()}
    left = set(calls)
    for forward in (inside, {symbol: set(each) for symbol, each in callers.items()}):
        left = peel(left, forward)
    return left


def peel(left: set[str], forward: dict[str, set[str]]) -> set[str]:
    """Take away what points to nothing that is left, until nothing more can be."""
    while True:
        ends = {symbol for symbol in left if not forward[symbol] & left}
        if not ends:
            return left
        left = left - ends


def add_up(
    unit: Unit,
    asked: Iterable[str],
    stop: set[str],
    own: Callable[[Function], int],
    outside: int,
    join: Callable[[int, int], int],
) -> dict[str, int]:
    """A number for each function that is `asked` for, and those that they come to: its own joined with those
    of what it calls, none for what is in `stop`, `outside` for functions of other units. Functions not in
    `stop` form no cycle."""
    functions = {each.symbol: each for each in unit.functions}
    calls = {symbol: direct_calls(each) for symbol, each in functions.items()}
    found: dict[str, int] = {}
    waiting = list(asked)
    while waiting:
        symbol = waiting[-1]
        if symbol in found:  # it was met before, as what another one calls
            waiting.pop()
            continue
        called = calls[symbol]
        missing = [each for each in called if each in functions and each not in found and each not in stop]
        if missing:
            waiting += missing
            continue
        waiting.pop()
        total = 0
        for each in called:
            number = 0 if each in stop else found.get(each, outside) if each in functions else outside
            total = join(total, number)
        found[symbol] = own(functions[symbol]) + total
    return found
