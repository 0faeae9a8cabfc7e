"""What is new is written without a barrier; `__init__` and constants stand where they are asked for."""

from __future__ import annotations

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.printing import print_function
from meshext_wasm.ir.program import Block, Function, Unit
from meshext_wasm.ir.verify import verify_unit
from meshext_wasm.passes.constants import fold_constants
from meshext_wasm.passes.fresh import drop_barriers
from meshext_wasm.passes.inits import inline_inits
from meshext_wasm.tree.program import Class, Loc
from meshext_wasm.tree.types import Rep

AT = Loc("m.py", 1, 0, 1, 0)
SELF = ir.Register("self", Rep.VALUE, variable=True)
GIVEN = ir.Register("given", Rep.VALUE, variable=True)
NEW = ir.Register(".new", Rep.VALUE, variable=True)
NONE = ir.Register("%1", Rep.VALUE)
DONE = ir.Register("%2", Rep.VALUE)
INIT = "m.C.__init__"


def write(index: int, value: ir.Register = GIVEN, subject: ir.Register = SELF) -> ir.Instruction:
    return ir.WriteSlot(loc=AT, operands=(subject, value), name=f"f{index}", index=index)


def constant(value: int | None, result: ir.Register = NONE) -> ir.Instruction:
    return ir.Constant(loc=AT, result=result, value=value)


def function(
    symbol: str, parameters: list[ir.Register], *body: ir.Instruction, gives: ir.Register = NONE
) -> Function:
    end = ir.Return(loc=AT, operands=(gives,))
    return Function(
        symbol, "f", AT, parameters, Rep.VALUE, {"entry": Block("entry", list(body), end)}, outside=True
    )


def call(subject: ir.Register) -> ir.Instruction:
    return ir.Call(loc=AT, result=DONE, operands=(subject, GIVEN), function=INIT, error=ir.LEAVE)


MADE = ir.MakeInstance(loc=AT, result=NEW, error=ir.LEAVE, cls="m.C", slots=2, unset=(0, 1))


def init(*body: ir.Instruction) -> Function:
    return function(INIT, [SELF, GIVEN], *body, constant(None))


def unit_of(*functions: Function) -> Unit:
    cls = Class("m.C", "C", AT, None)
    return Unit("m", list(functions), {each.symbol: each.signature for each in functions}, [cls])


def text_of(unit: Unit) -> str:
    verify_unit(unit, after="test")
    return print_function(unit.functions[-1])


def test_what_an_init_writes_is_written_where_it_is_called() -> None:
    unit = unit_of(init(write(0), write(1)), function("m.make", [GIVEN], MADE, call(NEW), gives=NEW))
    inline_inits(unit)
    drop_barriers(unit)
    assert text_of(unit) == (
        "fn m.make(given) -> value outside\n"
        "entry:\n"
        "  .new = instance m.C 2 bare !leave\n"
        "  new .new.f0[0] = given\n"
        "  new .new.f1[1] = given\n"
        "  %1.__init__1 = const None\n"
        "  %2 = %1.__init__1\n"
        "  return .new"
    )


def test_a_slot_that_may_be_read_first_is_made_unset() -> None:
    unit = unit_of(function("m.make", [GIVEN], MADE, write(1, subject=NEW), write(0, NEW, NEW), gives=NEW))
    drop_barriers(unit)
    made = unit.functions[-1].entry.instructions[0]
    assert isinstance(made, ir.MakeInstance)
    assert made.unset == (0,)


def test_what_came_from_elsewhere_keeps_its_barrier() -> None:
    unit = unit_of(function("m.put", [SELF, GIVEN], write(0), gives=GIVEN))
    drop_barriers(unit)
    assert "new self" not in text_of(unit)


def test_a_literal_needs_no_barrier() -> None:
    unit = unit_of(function("m.put", [SELF], constant(None), write(0, NONE)))
    drop_barriers(unit)
    assert "new self.f0[0] = %1" in text_of(unit)


def test_an_init_of_what_may_be_old_makes_the_heap_dirty() -> None:
    looping = init(call(SELF))
    unit = unit_of(looping, function("m.again", [SELF, GIVEN], call(SELF), gives=GIVEN))
    drop_barriers(unit)
    assert "heap.set_dirty" in text_of(unit)
    assert "heap.set_dirty" not in print_function(looping)


def bodies(*more: ir.Instruction) -> Unit:
    given = ir.WriteGlobal(loc=AT, operands=(NONE,), symbol="m.MOST")
    body = function("m.<module>", [], constant(7), given)
    read = ir.ReadGlobal(loc=AT, result=DONE, symbol="m.MOST")
    unit = unit_of(body, function("m.f", [GIVEN], read, *more, gives=DONE))
    unit.bodies.append("m.<module>")
    return unit


def test_a_constant_of_the_library_is_no_read() -> None:
    unit = bodies()
    fold_constants(unit)
    assert "%2 = const 7" in text_of(unit)
    assert unit.constants == {"m.MOST": 7}


def test_what_is_written_again_is_no_constant() -> None:
    unit = bodies(ir.WriteGlobal(loc=AT, operands=(GIVEN,), symbol="m.MOST"))
    fold_constants(unit)
    assert "%2 = global m.MOST" in text_of(unit)


def test_a_program_reads_its_own_names() -> None:
    unit = bodies()
    unit.functions[0].outside = False
    fold_constants(unit)
    assert "%2 = global m.MOST" in text_of(unit)
