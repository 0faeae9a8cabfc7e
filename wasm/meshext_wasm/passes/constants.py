"""What a module of the library calls a constant becomes one: a number, text or truth that its body writes
once, and nobody else. Reading it needs no memory then, and what follows from it is known before it runs.

Only the library's: a program may read a name before its module has given it a value, which is a NameError.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Function, Unit
from meshext_wasm.passes.once import written_once
from meshext_wasm.tree.expressions import Literal

KINDS: Final = (bool, int, str, bytes, type(None))


def fold_constants(unit: Unit) -> None:
    """In every function; those that other units may use are in `unit.constants` afterwards."""
    own = find_constants(unit)
    known = {**unit.constants, **own}
    for function in unit.functions:
        fold_in(function, known)
    unit.constants = own


def find_constants(unit: Unit) -> dict[str, Literal]:
    """The values of constants, by the symbol of their global."""
    writes = Counter(
        each.symbol
        for function in unit.functions
        for block in function.blocks.values()
        for each in block.instructions
        if isinstance(each, ir.WriteGlobal)
    )
    bodies = set(unit.bodies)
    found: dict[str, Literal] = {}
    for function in unit.functions:
        if function.symbol in bodies and function.outside:
            found |= {symbol: value for symbol, value in written(function) if writes[symbol] == 1}
    return found


def written(body: Function) -> list[tuple[str, Literal]]:
    """The literals that a module's body gives to globals where it certainly comes to them."""
    once = written_once(body)
    literals = {
        each.result: each.value
        for each in body.entry.instructions
        if isinstance(each, ir.Constant) and each.result in once
    }
    return [
        (each.symbol, value)
        for each in body.entry.instructions
        if isinstance(each, ir.WriteGlobal) and each.operands[0] in literals
        if not isinstance(value := literals[each.operands[0]], ir.Mark) and isinstance(value, KINDS)
    ]


def fold_in(function: Function, known: dict[str, Literal]) -> None:
    """One function's reads."""
    for block in function.blocks.values():
        block.instructions = [
            ir.Constant(loc=each.loc, result=each.result, value=known[each.symbol])
            if isinstance(each, ir.ReadGlobal) and each.symbol in known
            else each
            for each in block.instructions
        ]
