"""One function of the IR to LLVM's text, instruction by instruction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.cold import cold_blocks
from meshext_wasm.ir.program import Block, Function, Signature
from meshext_wasm.llvm import objects
from meshext_wasm.llvm.constants import function_object, number_text, record, value_text
from meshext_wasm.llvm.integers import WAYS, emit_int
from meshext_wasm.llvm.memory import MEMORY
from meshext_wasm.llvm.names import FALSE, TRUE, TYPES, ZEROS, at, local, passed, returned
from meshext_wasm.llvm.numbers import NUMBERS
from meshext_wasm.llvm.objects import OBJECTS, RAISING
from meshext_wasm.llvm.outer import FAR, HELPER, NEVER_UNWINDS, Outer
from meshext_wasm.llvm.support import STACK_LIMIT
from meshext_wasm.llvm.writer import Writer
from meshext_wasm.tree import known
from meshext_wasm.tree.intrinsics import OPERATIONS
from meshext_wasm.tree.types import Rep

INTRINSICS = {**NUMBERS, **MEMORY, **OBJECTS}
ADAPTER = ".<value>"
"""How a symbol ends whose function every unit that needs it makes for itself."""

Lower = Callable[["FunctionLowering", Any], str]
"""Writes an instruction; what it gives, or nothing."""


class FunctionLowering:
    """Writes one function. `signatures` are those of the unit; `copied`: another unit defines it too;
    `in_place`: its unit's calls of it are to become its code."""

    def __init__(
        self,
        function: Function,
        signatures: dict[str, Signature],
        outer: Outer,
        *,
        copied: bool = False,
        in_place: bool = False,
    ) -> None:
        self.function = function
        self.signatures = signatures
        self.linkage = "available_externally " if copied else ""
        if function.symbol.endswith(ADAPTER):
            self.linkage = "weak_odr "
        self.attributes = f"{NEVER_UNWINDS} alwaysinline" if in_place else NEVER_UNWINDS
        self.cold = cold_blocks(function)
        self.writer = Writer(outer)

    def lower(self) -> str:
        """The whole definition."""
        function = self.function
        writer = self.writer
        parameters = ", ".join(passed(each.rep, local(self.parameter(each))) for each in function.parameters)
        name = at(f"fn:{function.symbol}")
        head = f"define {self.linkage}{returned(function.result)} {name}({parameters}) {self.attributes} {{"
        writer.start("entry")
        for register in variables(function):
            writer.variable(register)
        for each in function.parameters:
            if each.variable:
                writer.put(each, local(self.parameter(each)))
        writer.jump(f"b.{function.entry.label}")
        for block in function.blocks.values():
            self.lower_block(block)
        if writer.leaves:
            writer.start("leave")
            self.leave()
        return "\n".join([head, *writer.lines, "}", ""])

    def parameter(self, register: ir.Register) -> str:
        """The name under which a parameter comes in."""
        return f"p.{register.name}" if register.variable else f"r.{register.name}"

    def leave(self) -> None:
        """Return a zero: what the caller does not look at."""
        rep = self.function.result
        self.writer.emit("ret void" if rep is Rep.NOTHING else f"ret {TYPES[rep]} {ZEROS[rep]}")

    def lower_block(self, block: Block) -> None:
        """The instructions in order."""
        self.writer.start(f"b.{block.label}")
        self.writer.cold = self.writer.outer.compact or block.label in self.cold
        for each in block.everything():
            given = LOWERINGS[type(each)](self, each)
            if each.result is not None:
                self.writer.put(each.result, given)

    def operands(self, instruction: ir.Instruction) -> list[str]:
        """The values that an instruction reads."""
        return [self.writer.get(each) for each in instruction.operands]


def variables(function: Function) -> list[ir.Register]:
    """The registers that are written several times, each once."""
    found = {each: None for each in function.parameters if each.variable}
    for block in function.blocks.values():
        for each in block.everything():
            used = each.operands if each.result is None else (*each.operands, each.result)
            found |= {register: None for register in used if register.variable}
    return list(found)


def lower_constant(lowering: FunctionLowering, instruction: ir.Constant) -> str:
    """A number, an immediate or a static object."""
    assert instruction.result is not None
    rep = instruction.result.rep
    if rep is Rep.VALUE:
        return value_text(lowering.writer.outer, instruction.value)
    return number_text(instruction.value, rep)


def lower_convert(lowering: FunctionLowering, instruction: ir.Convert) -> str:
    """VALUE to BOOL or FLOAT and back."""
    writer = lowering.writer
    (register,) = instruction.operands
    value = writer.get(register)
    assert instruction.result is not None
    match register.rep, instruction.result.rep:
        case Rep.BOOL, Rep.VALUE:
            return writer.let(f"select i1 {value}, i64 {TRUE}, i64 {FALSE}")
        case Rep.VALUE, Rep.BOOL:
            return writer.let(f"icmp eq i64 {value}, {TRUE}")
        case Rep.FLOAT, Rep.VALUE:
            return objects.box(writer, value, instruction.error)
        case Rep.VALUE, Rep.FLOAT:
            return writer.load("double", writer.address(value), objects.HEADER)
        case source, target:
            raise AssertionError(f"no conversion from {source} to {target}")


def lower_intrinsic(lowering: FunctionLowering, instruction: ir.Intrinsic) -> str:
    """A row of the table of intrinsics."""
    writer = lowering.writer
    operands = lowering.operands(instruction)
    if instruction.name in WAYS:
        return emit_int(writer, OPERATIONS[instruction.name], tuple(operands), instruction.error)
    if instruction.name == "budget.charge":
        return charge(lowering, writer.let(f"zext i32 {operands[0]} to i64"), instruction.error)
    if instruction.name in RAISING:
        name, gives, takes = RAISING[instruction.name]
        result = writer.call(f"{HELPER}{name}", gives, takes, operands)
        writer.check_pending(instruction.error)
        return result
    return INTRINSICS[instruction.name](writer, *operands)


def lower_call(lowering: FunctionLowering, instruction: ir.Call) -> str:
    """A known function, or one of the proxy."""
    signature = lowering.signatures[instruction.function]
    symbol = f"host:{signature.host}" if signature.host else f"fn:{instruction.function}"
    result = lowering.writer.call(symbol, signature.gives, signature.takes, lowering.operands(instruction))
    lowering.writer.check_pending(instruction.error)
    return result


def call_place(lowering: FunctionLowering, place: str, operands: list[str], error: str | None) -> str:
    """A function by its place in the table; VALUEs only."""
    writer = lowering.writer
    callee = writer.let(f"inttoptr i32 {place} to ptr")
    result = writer.let(f"call i64 {callee}({', '.join(f'i64 {each}' for each in operands)})")
    writer.check_pending(error)
    return result


def lower_call_method(lowering: FunctionLowering, instruction: ir.CallMethod) -> str:
    """The function in a place of the table of the subject's class.

    The place is named by a symbol, so that the linker sees which methods of which classes are called at all.
    """
    writer = lowering.writer
    operands = lowering.operands(instruction)
    descriptor = objects.class_of(writer, operands[0])
    symbol = f"method:{instruction.index}:{instruction.owner}"
    offset = f"ptrtoint (ptr {writer.outer.datum(symbol)} to i32)"
    place = writer.load("i32", writer.let(f"add i32 {descriptor}, {offset}"))
    return call_place(lowering, place, operands, instruction.error)


def lower_call_value(lowering: FunctionLowering, instruction: ir.CallValue) -> str:
    """A function value."""
    writer = lowering.writer
    operands = lowering.operands(instruction)
    place = writer.load("i32", writer.address(operands[0]), objects.UPPER)
    return call_place(lowering, place, operands, instruction.error)


def lower_make_function(lowering: FunctionLowering, instruction: ir.MakeFunction) -> str:
    """A function value: static where it captures nothing."""
    writer = lowering.writer
    signature = lowering.signatures[instruction.function]
    writer.outer.declare_function(f"fn:{instruction.function}", signature.gives, signature.takes)
    if not instruction.operands:
        return f"ptrtoint (ptr {function_object(writer.outer, instruction.function)} to i64)"
    cells = lowering.operands(instruction)
    return objects.new_closure(writer, instruction.function, cells, instruction.error)


def lower_catch(lowering: FunctionLowering, instruction: ir.Catch) -> str:
    """Take the pending exception; the end of the budget stays."""
    writer = lowering.writer
    pending = writer.read("pending")
    assert instruction.error is not None
    over = writer.let(f"icmp eq i32 {pending}, ptrtoint (ptr {writer.outer.datum('state:exhausted')} to i32)")
    writer.leave_if(over, instruction.error)
    writer.write("pending", "0")
    return objects.as_value(writer, pending)


def lower_charge(lowering: FunctionLowering, instruction: ir.Charge) -> str:
    """Take steps from the budget."""
    return charge(lowering, str(instruction.steps), instruction.error)


def charge(lowering: FunctionLowering, steps: str, error: str | None) -> str:
    """The same for a number that is known when it runs."""
    writer = lowering.writer
    left = writer.let(f"sub i64 {writer.read('budget', 'i64')}, {steps}")
    writer.write("budget", left, "i64")
    over = writer.let(f"icmp slt i64 {left}, 0")
    fail(lowering, over, f"{HELPER}exhaust", error)
    return ""


def fail(lowering: FunctionLowering, test: str, symbol: str, error: str | None) -> None:
    """Call what makes an exception pending where a test holds, and go to the error edge."""
    assert error is not None
    writer = lowering.writer
    bad, on = writer.label("bad"), writer.label("on")
    writer.branch(test, bad, on, likely=False)
    writer.start(bad)
    gives = Rep.NOTHING
    if not symbol.startswith(HELPER) and symbol.removeprefix("fn:") in lowering.signatures:
        gives = lowering.signatures[symbol.removeprefix("fn:")].gives
    writer.call(symbol, gives, [], [], cold=True)
    writer.jump(writer.edge(error))
    writer.start(on)


def lower_enter(lowering: FunctionLowering, instruction: ir.Enter) -> str:
    """Count the stack."""
    writer = lowering.writer
    after = writer.let(f"add i32 {writer.read('stack')}, {instruction.bytes}")
    over = writer.let(f"icmp ugt i32 {after}, {STACK_LIMIT}")
    fail(lowering, over, f"fn:{known.RECURSION}", instruction.error)
    writer.write("stack", after)
    return ""


def lower_exit(lowering: FunctionLowering, instruction: ir.Exit) -> str:
    """Count the stack."""
    writer = lowering.writer
    writer.write("stack", writer.let(f"sub i32 {writer.read('stack')}, {instruction.bytes}"))
    return ""


def lower_site(lowering: FunctionLowering, instruction: ir.Site) -> str:
    """A line of the traceback."""
    writer = lowering.writer
    made = record(writer.outer, instruction.function, instruction.loc.file, instruction.loc.line)
    site = at(f"{FAR}{HELPER}site")
    writer.outer.declare(f"declare void {site}(ptr) {NEVER_UNWINDS}")
    writer.emit(f"call void {site}(ptr {made})")
    return ""


def lower_write_global(lowering: FunctionLowering, instruction: ir.WriteGlobal) -> str:
    """Change a variable of a module."""
    (value,) = lowering.operands(instruction)
    objects.write_global(lowering.writer, instruction.symbol, value)
    return ""


def lower_write_slot(lowering: FunctionLowering, instruction: ir.WriteSlot) -> str:
    """Change a slot of an instance."""
    subject, value = lowering.operands(instruction)
    objects.write_slot(lowering.writer, subject, instruction.index, value, barrier=instruction.barrier)
    return ""


def lower_jump(lowering: FunctionLowering, instruction: ir.Jump) -> str:
    """Go on elsewhere."""
    lowering.writer.jump(f"b.{instruction.target}")
    return ""


def lower_branch(lowering: FunctionLowering, instruction: ir.Branch) -> str:
    """One of two ways."""
    (test,) = lowering.operands(instruction)
    then, otherwise = f"b.{instruction.then}", f"b.{instruction.otherwise}"
    lowering.writer.branch(test, then, otherwise, instruction.likely)
    return ""


def lower_return(lowering: FunctionLowering, instruction: ir.Return) -> str:
    """Leave with a result."""
    if not instruction.operands:
        lowering.writer.emit("ret void")
        return ""
    (value,) = lowering.operands(instruction)
    lowering.writer.emit(f"ret {TYPES[lowering.function.result]} {value}")
    return ""


def lower_raise(lowering: FunctionLowering, instruction: ir.Raise) -> str:
    """Make an exception pending."""
    (value,) = lowering.operands(instruction)
    lowering.writer.call(f"{HELPER}raise", Rep.NOTHING, [Rep.VALUE], [value], cold=True)
    assert instruction.error is not None
    lowering.writer.jump(lowering.writer.edge(instruction.error))
    return ""


def lower_leave(lowering: FunctionLowering, _: ir.Leave) -> str:
    """Leave with an exception pending."""
    lowering.leave()
    return ""


def lower_unreachable(lowering: FunctionLowering, _: ir.Unreachable) -> str:
    """What never runs: a trap, for LLVM would drop whatever leads to a bare `unreachable`."""
    lowering.writer.built_in("llvm.trap", "void", [])
    lowering.writer.emit("unreachable")
    return ""


LOWERINGS: dict[type[ir.Instruction], Lower] = {
    ir.Constant: lower_constant,
    ir.Copy: lambda lowering, each: lowering.operands(each)[0],
    ir.Convert: lower_convert,
    ir.Intrinsic: lower_intrinsic,
    ir.Call: lower_call,
    ir.CallMethod: lower_call_method,
    ir.CallValue: lower_call_value,
    ir.MakeFunction: lower_make_function,
    ir.ClassValue: lambda lowering, each: (
        f"ptrtoint (ptr {lowering.writer.outer.datum(f'type:{each.cls}')} to i64)"
    ),
    ir.Descriptor: lambda lowering, each: objects.descriptor(lowering.writer, each.cls),
    ir.MakeInstance: lambda lowering, each: objects.new_instance(
        lowering.writer, each.cls, each.slots, each.unset, each.error
    ),
    ir.MakeArray: lambda lowering, each: objects.new_slots(
        lowering.writer, each.cls, len(each.operands), dict(enumerate(lowering.operands(each))), each.error
    ),
    ir.InstanceTest: lambda lowering, each: objects.is_instance(
        lowering.writer, lowering.operands(each)[0], each.classes
    ),
    ir.ReadGlobal: lambda lowering, each: objects.read_global(lowering.writer, each.symbol),
    ir.WriteGlobal: lower_write_global,
    ir.ReadSlot: lambda lowering, each: objects.read_slot(
        lowering.writer, lowering.operands(each)[0], each.index
    ),
    ir.WriteSlot: lower_write_slot,
    ir.Catch: lower_catch,
    ir.Charge: lower_charge,
    ir.Enter: lower_enter,
    ir.Exit: lower_exit,
    ir.Site: lower_site,
    ir.Jump: lower_jump,
    ir.Branch: lower_branch,
    ir.Return: lower_return,
    ir.Raise: lower_raise,
    ir.Leave: lower_leave,
    ir.Unreachable: lower_unreachable,
}
