"""Functions that stop at a `yield`, and go on behind it when they are called again.

What is needed there is kept meanwhile in slots of an array that the generator has; the function begins with
a branch to where it stopped. Nothing else knows of it: what comes out is a function like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.build import expressions
from meshext_wasm.ir.build.body import Around, Body, Pause
from meshext_wasm.ir.build.variables import write_variable
from meshext_wasm.ir.errors import BrokenIR
from meshext_wasm.ir.liveness import live_at_start
from meshext_wasm.ir.program import Block, Function
from meshext_wasm.tree import known
from meshext_wasm.tree import statements as tree
from meshext_wasm.tree.program import Field, Loc, Resuming
from meshext_wasm.tree.types import Rep

AWAY = -1
"""The place of a generator whose function runs, or has ended."""


def build_yield(body: Body, node: tree.Yield) -> None:
    """Leave the item and the place in the generator, and stop."""
    resuming, loc = resuming_of(body), node.loc
    value = expressions.build_expression(body, node.value)
    owner = body.register(resuming.variable)
    write_slot(body, loc, owner, resuming.current, value)
    write_slot(body, loc, owner, resuming.place, number(body, loc, len(body.pauses) + 1))
    more = body.constant(loc, True, Rep.VALUE)
    goes_on = body.label("resumed")
    body.pauses.append(Pause(body.block.label, goes_on, loc, body.error))
    body.end(ir.Return(loc=loc, operands=(more,)))
    body.start(goes_on)


def resuming_of(body: Body) -> Resuming:
    """What the function knows of its generator."""
    if body.function.resuming is None:
        raise BrokenIR(f"{body.function.symbol}: a yield in a function that is no generator's")
    return body.function.resuming


def build_arrival(body: Body) -> str:
    """At the first call: take the arguments from where they are kept. The label of the block that does."""
    resuming, loc = resuming_of(body), body.function.loc
    kept = read_slot(body, loc, body.register(resuming.variable), resuming.kept)
    for index, variable in enumerate(resuming.parameters):
        place = body.constant(loc, index, Rep.WORD)
        value = body.temporary(Rep.VALUE)
        body.emit(ir.Intrinsic, loc, kept, place, result=value, name="array.get")
        write_variable(body, loc, variable, value)
    label, after = body.block.label, body.label("arrived")
    body.jump(loc, after)
    body.start(after)
    return label


def add_resuming(function: Function, body: Body, arrival: str) -> None:
    """Keep what each pause needs, and begin with the branch to the place that a call goes on at."""
    if not body.pauses:
        return
    owner = body.register(resuming_of(body).variable)
    live = live_at_start(function, {each.stops: each.goes_on for each in body.pauses})
    needed = [sorted(live[each.goes_on] - {owner}, key=lambda one: one.name) for each in body.pauses]
    slots: dict[ir.Register, int] = {}
    for register in (one for each in needed for one in each):
        slots.setdefault(register, len(slots))
    changed = make_variables(function, slots)
    for pause, registers in zip(body.pauses, needed, strict=True):
        places = {changed.get(each, each): slots[each] for each in registers}
        keep(function, body, pause, places)
        take_back(function, body, pause, places)
    make_room(function, body, arrival, len(slots))
    add_entry(function, body)


def make_variables(function: Function, registers: dict[ir.Register, int]) -> dict[ir.Register, ir.Register]:
    """A register that is taken back is written more than once: what was written once becomes a variable."""
    changed = {
        each: ir.Register(each.name, each.rep, variable=True) for each in registers if not each.variable
    }
    for block in function.blocks.values():
        block.instructions = [over(each, changed) for each in block.instructions]
        if block.end is not None:
            end = over(block.end, changed)
            assert isinstance(end, ir.Terminator)
            block.end = end
    return changed


def over(instruction: ir.Instruction, changed: dict[ir.Register, ir.Register]) -> ir.Instruction:
    """An instruction over other registers."""
    result = instruction.result
    if result in changed or any(each in changed for each in instruction.operands):
        operands = tuple(changed.get(each, each) for each in instruction.operands)
        result = None if result is None else changed.get(result, result)
        return replace(instruction, result=result, operands=operands)
    return instruction


def keep(function: Function, body: Body, pause: Pause, places: dict[ir.Register, int]) -> None:
    """Before a pause: the registers into their slots."""
    with aside(body, pause.error) as made:
        kept = kept_array(body, pause.loc)
        for register, place in places.items():
            value = to_value(body, pause.loc, register)
            index = body.constant(pause.loc, place, Rep.WORD)
            body.emit(ir.Intrinsic, pause.loc, kept, index, value, name="array.set")
    function.blocks[pause.stops].instructions += made.instructions


def take_back(function: Function, body: Body, pause: Pause, places: dict[ir.Register, int]) -> None:
    """Behind a pause: the registers out of their slots."""
    with aside(body, pause.error) as made:
        kept = kept_array(body, pause.loc)
        for register, place in places.items():
            index = body.constant(pause.loc, place, Rep.WORD)
            value = register if register.rep is Rep.VALUE else body.temporary(Rep.VALUE)
            body.emit(ir.Intrinsic, pause.loc, kept, index, result=value, name="array.get")
            from_value(body, pause.loc, value, register)
    block = function.blocks[pause.goes_on]
    block.instructions = [*made.instructions, *block.instructions]


def make_room(function: Function, body: Body, arrival: str, slots: int) -> None:
    """The array with the slots, instead of the one with the arguments."""
    loc = function.loc
    with aside(body, ir.LEAVE) as made:
        descriptor, size = body.temporary(Rep.WORD), body.constant(loc, slots, Rep.WORD)
        body.emit(ir.Descriptor, loc, result=descriptor, cls=known.ARRAY)
        room = body.temporary(Rep.VALUE)
        body.emit(ir.Intrinsic, loc, descriptor, size, result=room, name="array.new")
        resuming = resuming_of(body)
        write_slot(body, loc, body.register(resuming.variable), resuming.kept, room)
    function.blocks[arrival].instructions += made.instructions


def add_entry(function: Function, body: Body) -> None:
    """The new beginning: on to the place where the generator is, which then is none until the next pause."""
    loc, resuming = function.loc, resuming_of(body)
    first = function.entry.label
    blocks: list[Block] = []
    with aside(body, ir.LEAVE) as head:
        owner = body.register(resuming.variable)
        place = read_slot(body, loc, owner, resuming.place)
        write_slot(body, loc, owner, resuming.place, number(body, loc, AWAY))
    for index, pause in enumerate(body.pauses, 1):
        block = Block(body.label("arrive"))
        with aside(body, ir.LEAVE) as made:
            test = body.temporary(Rep.BOOL)
            body.emit(ir.Intrinsic, loc, place, number(body, loc, index), result=test, name="value.is")
        block.instructions = made.instructions
        block.end = ir.Branch(loc=loc, operands=(test,), then=pause.goes_on, otherwise=first)
        if blocks:
            blocks[-1].end = replace_otherwise(blocks[-1], block.label)
        blocks.append(block)
    blocks[0].instructions = [*head.instructions, *blocks[0].instructions]
    function.blocks = {each.label: each for each in blocks} | function.blocks


def replace_otherwise(block: Block, label: str) -> ir.Branch:
    """A branch that goes elsewhere where its test fails."""
    assert isinstance(block.end, ir.Branch)
    return replace(block.end, otherwise=label)


@contextmanager
def aside(body: Body, error: str) -> Iterator[Block]:
    """Instructions that are written meanwhile go into a block of their own."""
    before, around = body.block, body.around
    body.block = Block("aside")
    body.around = [] if error == ir.LEAVE else [Around(handler=error)]
    try:
        yield body.block
    finally:
        body.block, body.around = before, around


def kept_array(body: Body, loc: Loc) -> ir.Register:
    """The array with the slots."""
    resuming = resuming_of(body)
    return read_slot(body, loc, body.register(resuming.variable), resuming.kept)


def read_slot(body: Body, loc: Loc, owner: ir.Register, field: Field) -> ir.Register:
    """A slot of the generator."""
    value = body.temporary(Rep.VALUE)
    body.emit(ir.ReadSlot, loc, owner, result=value, name=field.name, index=field.index)
    return value


def write_slot(body: Body, loc: Loc, owner: ir.Register, field: Field, value: ir.Register) -> None:
    """Write a slot of the generator."""
    body.emit(ir.WriteSlot, loc, owner, value, name=field.name, index=field.index)


def number(body: Body, loc: Loc, value: int) -> ir.Register:
    """A small int."""
    return body.constant(loc, value, Rep.VALUE)


def to_value(body: Body, loc: Loc, register: ir.Register) -> ir.Register:
    """A register as a VALUE that a slot can hold."""
    match register.rep:
        case Rep.VALUE:
            return register
        case Rep.WORD:
            wide, value = body.temporary(Rep.WIDE), body.temporary(Rep.VALUE)
            body.emit(ir.Intrinsic, loc, register, result=wide, name="wide.from_word")
            body.emit(ir.Intrinsic, loc, wide, result=value, name="int.tag")
            return value
        case Rep.BOOL | Rep.FLOAT:
            value = body.temporary(Rep.VALUE)
            body.emit(ir.Convert, loc, register, result=value)
            return value
    raise BrokenIR(f"{body.function.symbol}: {register.name} is {register.rep}, and needed behind a yield")


def from_value(body: Body, loc: Loc, value: ir.Register, register: ir.Register) -> None:
    """The way back."""
    match register.rep:
        case Rep.WORD:
            wide = body.temporary(Rep.WIDE)
            body.emit(ir.Intrinsic, loc, value, result=wide, name="int.small")
            body.emit(ir.Intrinsic, loc, wide, result=register, name="word.from_wide")
        case Rep.BOOL | Rep.FLOAT:
            body.emit(ir.Convert, loc, value, result=register)
