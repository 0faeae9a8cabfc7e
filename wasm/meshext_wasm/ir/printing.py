"""The IR as text: short, and the same each time. The result's rep is shown where it is not VALUE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Block, Function, Unit
from meshext_wasm.tree.types import Rep


def shown(register: ir.Register) -> str:
    """A register where it is defined."""
    return register.name if register.rep is Rep.VALUE else f"{register.name}:{register.rep}"


def names(registers: tuple[ir.Register, ...]) -> str:
    """Registers where they are read."""
    return ", ".join(each.name for each in registers)


def constant(instruction: ir.Constant) -> str:
    """A literal as Python writes it."""
    value = instruction.value
    return "const unset" if value is ir.Mark.UNSET else f"const {value!r}"


def method_call(instruction: ir.CallMethod) -> str:
    """A call by place in the table."""
    subject, *arguments = instruction.operands
    return f"method {instruction.method}[{instruction.index}] of {subject.name}({names(tuple(arguments))})"


def value_call(instruction: ir.CallValue) -> str:
    """A call of a function value."""
    callee, *arguments = instruction.operands
    return f"value {callee.name}({names(tuple(arguments))})"


def slot_write(instruction: ir.WriteSlot) -> str:
    """A write of a slot; `new` where no barrier is needed."""
    subject, value = instruction.operands
    how = "" if instruction.barrier else "new "
    return f"{how}{subject.name}.{instruction.name}[{instruction.index}] = {value.name}"


def branch(instruction: ir.Branch) -> str:
    """A branch and which way is expected."""
    text = f"branch {names(instruction.operands)} ? {instruction.then} : {instruction.otherwise}"
    if instruction.likely is None:
        return text
    return f"{text} likely {instruction.then if instruction.likely else instruction.otherwise}"


def site(instruction: ir.Site) -> str:
    """A line of a traceback."""
    return f"site {instruction.function} {instruction.loc.file}:{instruction.loc.line}"


def word(instruction: ir.Instruction) -> str:
    """An instruction that says nothing but its name."""
    return type(instruction).__name__.lower()


TEXTS: dict[type[ir.Instruction], Callable[[Any], str]] = {
    ir.Constant: constant,
    ir.Copy: lambda each: names(each.operands),
    ir.Convert: lambda each: f"convert {names(each.operands)}",
    ir.Intrinsic: lambda each: f"{each.name} {names(each.operands)}".rstrip(),
    ir.Call: lambda each: f"call {each.function}({names(each.operands)})",
    ir.CallMethod: method_call,
    ir.CallValue: value_call,
    ir.MakeFunction: lambda each: f"function {each.function}[{names(each.operands)}]",
    ir.ClassValue: lambda each: f"class {each.cls}",
    ir.Descriptor: lambda each: f"descriptor {each.cls}",
    ir.MakeInstance: lambda each: f"instance {each.cls} {each.slots}{' bare' if not each.unset else ''}",
    ir.MakeArray: lambda each: f"array {each.cls}[{names(each.operands)}]",
    ir.InstanceTest: lambda each: f"{names(each.operands)} is {' | '.join(each.classes)}",
    ir.ReadGlobal: lambda each: f"global {each.symbol}",
    ir.WriteGlobal: lambda each: f"global {each.symbol} = {names(each.operands)}",
    ir.ReadSlot: lambda each: f"{names(each.operands)}.{each.name}[{each.index}]",
    ir.WriteSlot: slot_write,
    ir.Catch: word,
    ir.Charge: lambda each: f"charge {each.steps}",
    ir.Enter: lambda each: f"enter {each.bytes}",
    ir.Exit: lambda each: f"exit {each.bytes}",
    ir.Site: site,
    ir.Jump: lambda each: f"jump {each.target}",
    ir.Branch: branch,
    ir.Return: lambda each: f"return {names(each.operands)}".rstrip(),
    ir.Raise: lambda each: f"raise {names(each.operands)}{' again' if each.again else ''}",
    ir.Leave: word,
    ir.Unreachable: word,
}


def print_instruction(instruction: ir.Instruction) -> str:
    """One line; `!label` says where it goes when it raises."""
    text = TEXTS[type(instruction)](instruction)
    if instruction.result is not None:
        text = f"{shown(instruction.result)} = {text}"
    return text if instruction.error is None else f"{text} !{instruction.error}"


def print_block(block: Block) -> list[str]:
    """A label with what the block is, then its instructions."""
    kinds = [word for word, set_ in (("handler", block.handler), ("cold", block.cold)) if set_]
    head = f"{block.label}:{' '.join(['', *kinds])}"
    return [head, *(f"  {print_instruction(each)}" for each in block.everything())]


def print_function(function: Function) -> str:
    """A function as text, without a final newline."""
    parameters = ", ".join(shown(each) for each in function.parameters)
    gives = "" if function.result is Rep.NOTHING else f" -> {function.result}"
    flags = [word for word, set_ in (("nothrow", not function.raises), ("outside", function.outside)) if set_]
    if function.export:
        flags.append(f"export {function.export}")
    head = " ".join([f"fn {function.symbol}({parameters}){gives}", *flags])
    return "\n".join([head, *(line for block in function.blocks.values() for line in print_block(block))])


def print_unit(unit: Unit) -> str:
    """All functions of a unit, an empty line between them."""
    return "\n\n".join(print_function(each) for each in unit.functions) + "\n"
