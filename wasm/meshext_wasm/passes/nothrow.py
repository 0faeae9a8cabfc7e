"""Find the functions that never raise, and leave out the tests after calling them."""

from __future__ import annotations

from dataclasses import replace

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.errors import BrokenIR
from meshext_wasm.ir.printing import print_instruction
from meshext_wasm.ir.program import Function, Unit
from meshext_wasm.ir.raising import may_raise
from meshext_wasm.ir.trimming import remove_unreachable


def infer_nothrow(unit: Unit) -> None:
    """All are taken to never raise, then those that do are found until nothing changes."""
    raising = {each.symbol: raising_calls(each) for each in unit.functions}
    never = {symbol for symbol, calls in raising.items() if calls is not None}
    while True:
        wrong = {symbol for symbol in never if not (raising[symbol] or set()) <= never}
        if not wrong:
            break
        never -= wrong
    for function in unit.functions:
        check_declared(function, never)
        function.raises = function.symbol not in never
        unit.signatures[function.symbol] = function.signature
    for function in unit.functions:
        drop_edges(unit, function)


def raising_calls(function: Function) -> set[str] | None:
    """The functions whose exceptions would leave this one; None where it raises by something else."""
    found = set()
    for block in function.blocks.values():
        for each in block.everything():
            if each.error == ir.LEAVE:
                if not isinstance(each, ir.Call):
                    return None
                found.add(each.function)
    return found


def check_declared(function: Function, never: set[str]) -> None:
    """A function that the library declares never to raise must not."""
    if function.raises or function.symbol in never:
        return
    for block in function.blocks.values():
        for each in block.everything():
            inner = each.function if isinstance(each, ir.Call) else None
            if each.error == ir.LEAVE and inner not in never:
                text = f"{each.loc.file}:{each.loc.line}: `{print_instruction(each)}`"
                raise BrokenIR(f"{function.symbol} is declared @nothrow, but may raise: {text}")


def drop_edges(unit: Unit, function: Function) -> None:
    """Leave out error edges that are never taken, and the handlers that only they reached."""
    for block in function.blocks.values():
        block.instructions = [
            each if each.error is None or may_raise(each, unit.signatures) else replace(each, error=None)
            for each in block.instructions
        ]
    remove_unreachable(function)
