"""Variables that are always a float live outside of their box, and only those."""

from __future__ import annotations

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.printing import print_function
from meshext_wasm.ir.program import Block, Function, Unit
from meshext_wasm.ir.verify import verify_unit
from meshext_wasm.passes.floats import unbox_floats
from meshext_wasm.tree.program import Loc
from meshext_wasm.tree.types import Rep

AT = Loc("m.py", 1, 0, 1, 0)
X = ir.Register("x", Rep.VALUE, variable=True)
BARE = ir.Register("%1", Rep.FLOAT)
SUM = ir.Register("%2", Rep.FLOAT)


def text_after(first: ir.Instruction, *last: ir.Instruction, end: ir.Terminator) -> str:
    """`x = FIRST`, then `x = x + x` as the frontend writes it, then what is given."""
    body = [
        first,
        ir.Convert(loc=AT, result=BARE, operands=(X,)),
        ir.Intrinsic(loc=AT, result=SUM, operands=(BARE, BARE), name="float.add"),
        ir.Convert(loc=AT, result=X, operands=(SUM,), error=ir.LEAVE),
        *last,
    ]
    function = Function("m.f", "f", AT, [], Rep.VALUE, {"entry": Block("entry", body, end)})
    unit = Unit("m", [function])
    verify_unit(unit, after="test")
    unbox_floats(unit)
    verify_unit(unit, after="unbox_floats")
    return print_function(function)


RETURN = ir.Return(loc=AT, operands=(X,))


def test_a_box_is_made_where_it_is_read_only() -> None:
    assert text_after(ir.Constant(loc=AT, result=X, value=1.5), end=RETURN) == (
        "fn m.f() -> value\n"
        "entry:\n"
        "  x:float = const 1.5\n"
        "  %1:float = x\n"
        "  %2:float = float.add %1, %1\n"
        "  x:float = %2\n"
        "  x.box1 = convert x !leave\n"
        "  return x.box1"
    )


def test_what_is_an_int_at_first_stays_in_its_box() -> None:
    assert "x:float" not in text_after(ir.Constant(loc=AT, result=X, value=1), end=RETURN)


def test_what_is_compared_by_identity_stays_in_its_box() -> None:
    same = ir.Register("%3", Rep.BOOL)
    test = ir.Intrinsic(loc=AT, result=same, operands=(X, X), name="value.is")
    text = text_after(ir.Constant(loc=AT, result=X, value=1.5), test, end=RETURN)
    assert "x:float" not in text


def test_what_is_read_in_its_box_more_often_stays_there() -> None:
    writes = [ir.WriteGlobal(loc=AT, operands=(X,), symbol="m.g")] * 2
    text = text_after(ir.Constant(loc=AT, result=X, value=1.5), *writes, end=RETURN)
    assert "x:float" not in text


def test_a_handler_that_only_a_box_could_reach_goes_with_it() -> None:
    none, caught = ir.Register("%4", Rep.VALUE), ir.Register("%5", Rep.VALUE)
    body: list[ir.Instruction] = [
        ir.Constant(loc=AT, result=X, value=1.5),
        ir.Convert(loc=AT, result=BARE, operands=(X,)),
        ir.Convert(loc=AT, result=X, operands=(BARE,), error="handler"),
        ir.Constant(loc=AT, result=none, value=None),
    ]
    blocks = {
        "entry": Block("entry", body, ir.Return(loc=AT, operands=(none,))),
        "handler": Block(
            "handler",
            [ir.Catch(loc=AT, result=caught, error=ir.LEAVE)],
            ir.Return(loc=AT, operands=(caught,)),
            handler=True,
        ),
    }
    function = Function("m.f", "f", AT, [], Rep.VALUE, blocks)
    unit = Unit("m", [function])
    unbox_floats(unit)
    verify_unit(unit, after="unbox_floats")
    assert list(function.blocks) == ["entry"]
