"""What is verified again is what changed, and nothing that changed is left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir import verifier as module
from meshext_wasm.ir.errors import BrokenIR
from meshext_wasm.ir.program import Block, Function, Unit
from meshext_wasm.ir.verifier import Verifier
from meshext_wasm.ir.verify import verify
from meshext_wasm.tree.types import Rep
from tests.wasm.ir.running import built

SOURCE = "def g(n):\n return n + 1\ndef f(n):\n return g(n)\n"


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The functions that were verified, in order."""
    found: list[str] = []

    def noted(function: Function, *given: object, **more: object) -> None:
        found.append(function.symbol)
        verify(function, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "verify", noted)
    return found


def function_of(unit: Unit, symbol: str) -> Function:
    return next(each for each in unit.functions if each.symbol == symbol)


def test_only_what_changed_is_verified_again(looked_at: list[str]) -> None:
    unit = built(SOURCE)
    verifier = Verifier(unit)
    verifier.verify(after="build")
    assert sorted(looked_at) == sorted(each.symbol for each in unit.functions)
    looked_at.clear()
    block = function_of(unit, "m.f").entry
    block.instructions = list(block.instructions)
    verifier.verify(after="nothing")
    assert looked_at == []
    block.instructions[0] = replace(block.instructions[0])
    verifier.verify(after="a change")
    assert looked_at == ["m.f"]


def test_a_change_that_breaks_a_rule_is_found() -> None:
    unit = built(SOURCE)
    verifier = Verifier(unit)
    verifier.verify(after="build")
    end = function_of(unit, "m.g").entry.end
    assert isinstance(end, ir.Return)
    function_of(unit, "m.g").entry.end = replace(end, operands=(ir.Register("nowhere", Rep.VALUE),))
    with pytest.raises(BrokenIR, match=r"m\.g is broken after a pass:\n.*reads nowhere before it is written"):
        verifier.verify(after="a pass")


def test_another_signature_makes_every_call_be_looked_at_again() -> None:
    unit = built(SOURCE)
    verifier = Verifier(unit)
    verifier.verify(after="build")
    unit.signatures["m.g"] = replace(unit.signatures["m.g"], takes=())
    with pytest.raises(BrokenIR, match=r"m\.f is broken after a pass:\n.*takes"):
        verifier.verify(after="a pass")


def test_nothing_goes_to_the_entry_and_something_to_every_other_block() -> None:
    unit = built(SOURCE)
    function = function_of(unit, "m.g")
    end, entry = function.entry.end, function.entry.label
    assert end is not None
    function.blocks["alone"] = Block("alone", end=ir.Jump(loc=end.loc, target=entry))
    with pytest.raises(BrokenIR, match="alone goes to the entry"):
        verify(function, unit.signatures, after="a pass")
    function.blocks["alone"] = Block("alone", end=ir.Jump(loc=end.loc, target="alone"))
    with pytest.raises(BrokenIR, match="nothing goes to alone"):
        verify(function, unit.signatures, after="a pass")
