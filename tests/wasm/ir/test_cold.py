"""Which blocks seldom run."""

from __future__ import annotations

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.cold import cold_blocks
from tests.wasm.ir.running import built

SOURCE = """
def f(n):
    if n < 0:
        if n < -9:
            n = n * 7
        else:
            n = n * 8
        raise ZeroDivisionError()
    if n > 9:
        n = n - 5
    return n
"""


def test_all_from_which_every_way_raises_is_cold() -> None:
    (function,) = (each for each in built(SOURCE).functions if each.symbol == "m.f")
    cold = cold_blocks(function)
    multiplied = [
        label
        for label, block in function.blocks.items()
        for each in block.instructions
        if isinstance(each, ir.Intrinsic) and each.name == "int.mul"
    ]
    assert len(multiplied) == 2
    assert cold.issuperset(multiplied)
    assert {label for label, block in function.blocks.items() if isinstance(block.end, ir.Return)}.isdisjoint(
        cold
    )
    assert function.entry.label not in cold
