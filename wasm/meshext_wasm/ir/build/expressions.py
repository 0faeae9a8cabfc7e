"""Expressions of the core language to IR; operands are evaluated from left to right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.build import statements
from meshext_wasm.ir.build.adapters import value_symbol
from meshext_wasm.ir.build.body import Body
from meshext_wasm.ir.build.signatures import signature_of
from meshext_wasm.ir.build.variables import build_set_test, read_variable
from meshext_wasm.ir.build.writing import writes
from meshext_wasm.ir.errors import BrokenIR
from meshext_wasm.ir.slots import count_slots
from meshext_wasm.tree import expressions as tree
from meshext_wasm.tree import known
from meshext_wasm.tree.types import NeverType, Rep

Build = Callable[[Body, Any, ir.Register | None], ir.Register | None]


def build_expression(body: Body, node: tree.Expression, into: ir.Register | None = None) -> ir.Register:
    """The register with the value; with `into` it is that one, written last of all."""
    result = build_effect(body, node, into)
    if result is None:
        raise BrokenIR(f"{body.function.symbol}: {type(node).__name__} at {node.loc} gives nothing")
    return result


def build_effect(body: Body, node: tree.Expression, into: ir.Register | None = None) -> ir.Register | None:
    """As `build_expression`, for what may give NOTHING."""
    return BUILDERS[type(node)](body, node, into)


def build_operands(body: Body, nodes: Sequence[tree.Expression]) -> list[ir.Register]:
    """Values of several expressions. A variable's register is copied where a later one may write to it."""
    found: list[ir.Register] = []
    for index, node in enumerate(nodes):
        register = build_expression(body, node)
        if register.variable and any(writes(each) for each in nodes[index + 1 :]):
            kept = body.temporary(register.rep)
            body.emit(ir.Copy, node.loc, register, result=kept)
            register = kept
        found.append(register)
    return found


def result_for(body: Body, node: tree.Expression, into: ir.Register | None) -> ir.Register | None:
    """Where an instruction writes; None for NOTHING."""
    return None if node.rep is Rep.NOTHING else into or body.temporary(node.rep)


def build_simple(
    body: Body,
    kind: type[ir.Instruction],
    node: tree.Expression,
    operands: Sequence[tree.Expression],
    into: ir.Register | None,
    **rest: Any,
) -> ir.Register | None:
    """One instruction over the values of some expressions."""
    registers = build_operands(body, operands)
    result = result_for(body, node, into)
    body.emit(kind, node.loc, *registers, result=result, **rest)
    return result


def build_constant(body: Body, node: tree.Constant, into: ir.Register | None) -> ir.Register:
    """A literal."""
    return body.constant(node.loc, node.value, node.rep, into)


def build_unset(body: Body, node: tree.Unset, into: ir.Register | None) -> ir.Register:
    """The unset mark."""
    return body.constant(node.loc, ir.Mark.UNSET, node.rep, into)


def build_local(body: Body, node: tree.Local, into: ir.Register | None) -> ir.Register:
    """A variable of this function or a captured one."""
    return read_variable(body, node.loc, node.variable, into)


def build_field(body: Body, node: tree.ReadField, into: ir.Register | None) -> ir.Register | None:
    """A slot; a checked one that is unset raises AttributeError."""
    rest = {"name": node.field.name, "index": node.field.index}
    if not node.checked:
        return build_simple(body, ir.ReadSlot, node, [node.subject], into, **rest)
    subject = build_expression(body, node.subject)
    value = body.temporary(node.rep)
    body.emit(ir.ReadSlot, node.loc, subject, result=value, **rest)
    build_set_test(body, node.loc, value, known.UNSET_ATTRIBUTE, subject, node.field.name)
    if into is not None:
        body.emit(ir.Copy, node.loc, value, result=into)
    return into or value


def build_call(body: Body, node: tree.Call, into: ir.Register | None) -> ir.Register | None:
    """A direct call; after one that never returns nothing follows."""
    called = signature_of(node.function)
    body.signatures.setdefault(called.symbol, called)
    result = build_simple(body, ir.Call, node, node.arguments, into, function=called.symbol)
    if isinstance(node.function.result_type, NeverType):
        body.end(ir.Unreachable(loc=node.loc))
    return result


def build_method_call(body: Body, node: tree.CallMethod, into: ir.Register | None) -> ir.Register | None:
    """A call by place in the table."""
    operands = [node.subject, *node.arguments]
    method = node.method
    rest = {"method": method.name, "index": method.index, "owner": method.owner.symbol}
    return build_simple(body, ir.CallMethod, node, operands, into, **rest)


def build_function(body: Body, node: tree.MakeFunction, into: ir.Register | None) -> ir.Register | None:
    """A function value: a closure with its cells, or an adapter around a plain function."""
    function = node.function
    cells = tuple(body.cell(each) for each in function.captures)
    body.nested.append(function)
    if not cells:
        body.adapted.append(function)
    symbol = function.symbol if cells else value_symbol(function.symbol)
    result = into or body.temporary(node.rep)
    body.emit(ir.MakeFunction, node.loc, *cells, result=result, function=symbol)
    return result


def build_conditional(body: Body, node: tree.Conditional, into: ir.Register | None) -> ir.Register | None:
    """One of two branches, in the same register."""
    then, otherwise, after = body.label("then"), body.label("else"), body.label("after")
    build_test(body, node.test, then, otherwise)
    result = into
    if result is None and node.rep is not Rep.NOTHING:
        result = body.several("either", node.rep)
    for label, branch in ((then, node.then), (otherwise, node.otherwise)):
        body.start(label)
        build_effect(body, branch, result)
        body.jump(node.loc, after)
    body.start(after)
    return result


def build_sequence(body: Body, node: tree.Sequence, into: ir.Register | None) -> ir.Register | None:
    """Statements, then the result."""
    statements.build_statements(body, node.statements)
    return build_effect(body, node.result, into)


def build_instance(body: Body, node: tree.MakeInstance, into: ir.Register | None) -> ir.Register | None:
    """A new instance, without any value in it."""
    slots = count_slots(node.cls)
    rest = {"cls": node.cls.symbol, "slots": slots, "unset": tuple(range(slots))}
    return build_simple(body, ir.MakeInstance, node, [], into, **rest)


def build_instance_test(body: Body, node: tree.IsInstance, into: ir.Register | None) -> ir.Register | None:
    """A test by class."""
    classes = tuple(each.symbol for each in node.classes)
    return build_simple(body, ir.InstanceTest, node, [node.subject], into, classes=classes)


def build_narrow(body: Body, node: tree.Narrow, into: ir.Register | None) -> ir.Register | None:
    """Nothing but the value."""
    if node.rep is not node.subject.rep:
        raise BrokenIR(f"{body.function.symbol}: Narrow at {node.loc} changes the rep")
    return build_effect(body, node.subject, into)


def build_convert(body: Body, node: tree.Convert, into: ir.Register | None) -> ir.Register | None:
    """Another rep; a literal, or what was just converted the other way, needs no conversion."""
    subject = bare(node.subject)
    if isinstance(subject, tree.Convert) and subject.subject.rep is node.rep:
        subject = subject.subject
    if node.rep is subject.rep:
        return build_effect(body, subject, into)
    if isinstance(subject, tree.Constant) and isinstance(subject.value, bool | float):
        return body.constant(node.loc, subject.value, node.rep, into)
    return build_simple(body, ir.Convert, node, [subject], into)


def bare(node: tree.Expression) -> tree.Expression:
    """What is inside of `Narrow`."""
    while isinstance(node, tree.Narrow):
        node = node.subject
    return node


def build_test(body: Body, node: tree.Expression, then: str, otherwise: str) -> None:
    """Go to one of two blocks by a BOOL, without making it a value where it is `and`, `or` or `not`."""
    match node:
        case tree.Constant():
            body.jump(node.loc, then if node.value else otherwise)
        case tree.Narrow():
            build_test(body, node.subject, then, otherwise)
        case tree.Convert() if isinstance(inner := bare(node.subject), tree.Constant):
            body.jump(node.loc, then if inner.value is True else otherwise)
        case tree.Intrinsic(name="bool.not"):
            build_test(body, node.arguments[0], otherwise, then)
        case tree.Sequence():
            statements.build_statements(body, node.statements)
            build_test(body, node.result, then, otherwise)
        case tree.Conditional():
            left, right = body.label("and"), body.label("or")
            build_test(body, node.test, left, right)
            body.start(left)
            build_test(body, node.then, then, otherwise)
            body.start(right)
            build_test(body, node.otherwise, then, otherwise)
        case _:
            body.branch(node.loc, build_expression(body, node), then, otherwise)


BUILDERS: dict[type[tree.Expression], Build] = {
    tree.Constant: build_constant,
    tree.Unset: build_unset,
    tree.Local: build_local,
    tree.ReadGlobal: lambda body, node, into: build_simple(
        body, ir.ReadGlobal, node, [], into, symbol=node.variable.symbol
    ),
    tree.ReadField: build_field,
    tree.Call: build_call,
    tree.CallMethod: build_method_call,
    tree.CallValue: lambda body, node, into: build_simple(
        body, ir.CallValue, node, [node.callee, *node.arguments], into
    ),
    tree.MakeFunction: build_function,
    tree.ClassValue: lambda body, node, into: build_simple(
        body, ir.ClassValue, node, [], into, cls=node.cls.symbol
    ),
    tree.MakeInstance: build_instance,
    tree.MakeArray: lambda body, node, into: build_simple(
        body, ir.MakeArray, node, node.items, into, cls=node.cls.symbol
    ),
    tree.Intrinsic: lambda body, node, into: build_simple(
        body, ir.Intrinsic, node, node.arguments, into, name=node.name
    ),
    tree.Conditional: build_conditional,
    tree.Sequence: build_sequence,
    tree.IsInstance: build_instance_test,
    tree.Narrow: build_narrow,
    tree.Convert: build_convert,
}
