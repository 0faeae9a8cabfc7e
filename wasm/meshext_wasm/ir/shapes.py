"""What each instruction takes and gives: the reps of its operands and of its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Function, Signature
from meshext_wasm.tree.intrinsics import OPERATIONS
from meshext_wasm.tree.types import Rep

V, N = Rep.VALUE, Rep.NOTHING
Shape = tuple[tuple[Rep, ...], Rep]
"""Reps of the operands, rep of the result (NOTHING for none)."""

CONVERSIONS = {(V, Rep.BOOL), (Rep.BOOL, V), (V, Rep.FLOAT), (Rep.FLOAT, V)}
LITERALS: dict[Rep, tuple[type, ...]] = {
    Rep.BOOL: (bool,),
    Rep.FLOAT: (float,),
    Rep.WORD: (int,),
    Rep.WIDE: (int,),
}


def check_types(
    instruction: ir.Instruction, function: Function, signatures: Mapping[str, Signature]
) -> str | None:
    """What is wrong with the reps of an instruction, None if nothing is."""
    takes, gives = SHAPES[type(instruction)](instruction, function, signatures)
    found = tuple(each.rep for each in instruction.operands)
    result = N if instruction.result is None else instruction.result.rep
    if found != takes:
        return f"takes {shown(takes)}, not {shown(found)}"
    if result is not gives and not (result is N and isinstance(instruction, CALLS)):
        return f"gives {gives}, not {result}"
    return wrong_literal(instruction) if isinstance(instruction, ir.Constant) else None


CALLS = (ir.Call, ir.CallMethod, ir.CallValue)


def shown(reps: tuple[Rep, ...]) -> str:
    """Reps in parentheses."""
    return f"({', '.join(reps)})"


def wrong_literal(instruction: ir.Constant) -> str | None:
    """A raw constant is a number of its kind; a mark is a VALUE."""
    wanted = LITERALS.get(own(instruction))
    if wanted is None or type(instruction.value) in wanted:
        return None
    return f"is no {own(instruction)}"


def own(instruction: ir.Instruction) -> Rep:
    """The rep of the result."""
    return N if instruction.result is None else instruction.result.rep


def all_values(gives: Rep) -> Callable[[Any, Function, Mapping[str, Signature]], Shape]:
    """Any number of VALUEs."""
    return lambda each, *_: ((V,) * len(each.operands), gives)


def fixed(*takes: Rep, gives: Rep = N) -> Callable[[Any, Function, Mapping[str, Signature]], Shape]:
    """Always the same."""
    return lambda *_: (takes, gives)


def shape_of_operation(each: ir.Intrinsic, *_: object) -> Shape:
    """As the table says."""
    row = OPERATIONS[each.name]
    return row.takes, row.gives


def shape_of_call(each: ir.Call, _: Function, signatures: Mapping[str, Signature]) -> Shape:
    """As the signature says."""
    signature = signatures[each.function]
    return signature.takes, signature.gives


def shape_of_method_call(each: ir.CallMethod, *_: object) -> Shape:
    """At least the subject; any result."""
    return (V,) * max(1, len(each.operands)), own(each)


def shape_of_conversion(each: ir.Convert, *_: object) -> Shape:
    """One of the conversions there are."""
    taken, gives = each.operands[0].rep, own(each)
    return ((taken,) if (taken, gives) in CONVERSIONS else (V,)), gives


def shape_of_copy(each: ir.Copy, *_: object) -> Shape:
    """The same on both sides."""
    return (own(each),), own(each)


def shape_of_return(_: ir.Return, function: Function, *__: object) -> Shape:
    """What the function gives."""
    return (() if function.result is N else (function.result,)), N


SHAPES: dict[type[ir.Instruction], Callable[[Any, Function, Mapping[str, Signature]], Shape]] = {
    ir.Constant: lambda each, *_: ((), own(each)),
    ir.Copy: shape_of_copy,
    ir.Convert: shape_of_conversion,
    ir.Intrinsic: shape_of_operation,
    ir.Call: shape_of_call,
    ir.CallMethod: shape_of_method_call,
    ir.CallValue: all_values(V),
    ir.MakeFunction: all_values(V),
    ir.ClassValue: fixed(gives=V),
    ir.Descriptor: fixed(gives=Rep.WORD),
    ir.MakeInstance: fixed(gives=V),
    ir.MakeArray: all_values(V),
    ir.InstanceTest: fixed(V, gives=Rep.BOOL),
    ir.ReadGlobal: fixed(gives=V),
    ir.WriteGlobal: fixed(V),
    ir.ReadSlot: fixed(V, gives=V),
    ir.WriteSlot: fixed(V, V),
    ir.Catch: fixed(gives=V),
    ir.Charge: fixed(),
    ir.Enter: fixed(),
    ir.Exit: fixed(),
    ir.Site: fixed(),
    ir.Jump: fixed(),
    ir.Branch: fixed(Rep.BOOL),
    ir.Return: shape_of_return,
    ir.Raise: fixed(V),
    ir.Leave: fixed(),
    ir.Unreachable: fixed(),
}
