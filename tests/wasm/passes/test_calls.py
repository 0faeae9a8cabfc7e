"""Which functions count the stack, and for how much."""

from __future__ import annotations

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Block, Function, Unit
from meshext_wasm.passes.calls import add_up, recursive
from meshext_wasm.tree.program import Loc
from meshext_wasm.tree.types import Rep

AT = Loc("m.py", 1, 0, 1, 0)


def calling(symbol: str, *called: str, unknown: bool = False) -> Function:
    """A function that calls others, and through a value where `unknown`."""
    own = ir.Register("self", Rep.VALUE)
    body: list[ir.Instruction] = [ir.Call(loc=AT, function=each, error=ir.LEAVE) for each in called]
    if unknown:
        body.append(ir.CallValue(loc=AT, operands=(own,), error=ir.LEAVE))
    return Function(symbol, symbol, AT, [own], Rep.NOTHING, {"entry": Block("entry", body)})


UNIT = Unit(
    "m",
    [
        calling("leaf"),
        calling("above", "leaf", "leaf", "elsewhere"),
        calling("even", "odd"),
        calling("odd", "even"),
        calling("itself", "itself"),
        calling("into", "even", "above"),
        calling("out", "leaf", unknown=True),
        calling("between", "out"),
    ],
)


def test_only_functions_on_cycles_count() -> None:
    assert recursive(UNIT) == {"even", "odd", "itself", "out"}


def test_what_does_not_count_is_added_to_what_calls_it() -> None:
    sizes = add_up(UNIT, [each.symbol for each in UNIT.functions], recursive(UNIT), lambda _: 10, 100, max)
    assert sizes["leaf"] == 10
    assert sizes["above"] == 110
    assert sizes["into"] == 120
    assert sizes["even"] == 10
    assert sizes["between"] == 10
