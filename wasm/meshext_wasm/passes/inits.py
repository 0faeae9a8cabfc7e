"""`__init__` put in the place of its call, where it runs straight through: most of them only write slots.

It spares the call, and what it writes is seen to be written (`passes.fresh`). Only those of the library,
which leave no line in a traceback.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Block, Function, Unit
from meshext_wasm.passes.once import written_once
from meshext_wasm.tree.types import Rep

INIT: Final = ".__init__"
MOST: Final = 48
"""Instructions of one that is copied."""
FREE: Final = (ir.Constant, ir.Copy)


def inline_inits(unit: Unit) -> None:
    """In every function; those that other units may use are in `unit.inits` afterwards."""
    own = {each.symbol: each for each in unit.functions if may_copy(each)}
    known = called_inits(unit)
    for symbol in own:
        settle(unit, symbol, own, known, set())
    for function in unit.functions:
        if function.symbol not in own:
            inline_in(unit, function, known)
    unit.inits = {symbol: copied(each) for symbol, each in known.items() if symbol in own}


def called_inits(unit: Unit) -> dict[str, Function]:
    """Those of other units that something here calls; the rest are not even looked at."""
    called = {
        each.function
        for function in unit.functions
        for block in function.blocks.values()
        for each in block.instructions
        if isinstance(each, ir.Call)
    }
    return {symbol: unit.inits[symbol] for symbol in unit.inits if symbol in called}


def settle(
    unit: Unit, symbol: str, own: Mapping[str, Function], known: dict[str, Function], under: set[str]
) -> None:
    """What an `__init__` calls comes into it first; one that got too long by that is left alone."""
    if symbol in known or symbol in under:
        return
    function = own[symbol]
    for each in function.entry.instructions:
        if isinstance(each, ir.Call) and each.function in own:
            settle(unit, each.function, own, known, {*under, symbol})
    inline_in(unit, function, known)
    if may_copy(function):
        known[symbol] = function


def may_copy(function: Function) -> bool:
    """Whether it is an `__init__` of the library that runs straight through and is not long."""
    if not function.symbol.endswith(INIT) or not function.outside or len(function.blocks) != 1:
        return False
    every = list(function.entry.everything())
    counted = [each for each in every if not isinstance(each, FREE)]
    once = written_once(function)
    return (
        isinstance(function.entry.end, ir.Return)
        and len(counted) <= MOST
        and function.result is Rep.VALUE
        and all(each.error in (None, ir.LEAVE) for each in every)
        and once.issuperset(function.parameters)
        and all(each.result is None or each.result in once for each in every)
    )


def copied(function: Function) -> Function:
    """The function as it is now; later passes change blocks in place."""
    entry = function.entry
    block = Block(entry.label, list(entry.instructions), entry.end)
    return replace(function, blocks={entry.label: block}, parameters=list(function.parameters))


def inline_in(unit: Unit, function: Function, known: Mapping[str, Function]) -> None:
    """One function's calls."""
    made = 0
    for block in function.blocks.values():
        if not any(isinstance(each, ir.Call) and each.function in known for each in block.instructions):
            continue
        written: list[ir.Instruction] = []
        for each in block.instructions:
            if isinstance(each, ir.Call) and each.function in known:
                made += 1
                body = body_of(known[each.function], each, f"{INIT}{made}")
                written += [with_edge(unit, part) for part in body]
            else:
                written.append(each)
        block.instructions = written


def with_edge(unit: Unit, instruction: ir.Instruction) -> ir.Instruction:
    """Without an error edge where it calls what never raises, as the unit knows it."""
    if isinstance(instruction, ir.Call) and not unit.signatures[instruction.function].raises:
        return replace(instruction, error=None)
    return instruction


def body_of(init: Function, call: ir.Call, ending: str) -> list[ir.Instruction]:
    """The instructions in place of a call, with registers of their own."""
    names = dict(zip(init.parameters, call.operands, strict=True))
    written: list[ir.Instruction] = []
    for each in init.entry.instructions:
        operands = tuple(names[register] for register in each.operands)
        result = each.result
        if result is not None:
            names[result] = result = replace(result, name=f"{result.name}{ending}")
        error = call.error if each.error == ir.LEAVE else each.error
        written.append(replace(each, loc=call.loc, operands=operands, result=result, error=error))
    end = init.entry.end
    if call.result is not None and end is not None:
        written.append(ir.Copy(loc=call.loc, result=call.result, operands=(names[end.operands[0]],)))
    return written
