"""What can be assigned to: names, attributes, items, and several at once."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.program import Field, Global
from meshext_wasm.tree.statements import Evaluate, WriteField, WriteGlobal
from meshext_wasm.tree.types import ClassType, NeverType, ObjectType, RawType, Type, TypeVariable
from meshext_wasm.typecheck.calling import methods
from meshext_wasm.typecheck.expressions.attributes import bindings_of, read_attribute
from meshext_wasm.typecheck.expressions.names import resolve
from meshext_wasm.typecheck.expressions.operators import operate_in_place
from meshext_wasm.typecheck.expressions.subscripts import bounds_of, item_of, key_type, operator_of
from meshext_wasm.typecheck.meanings import growth
from meshext_wasm.typecheck.meanings.conversions import to_type, to_value
from meshext_wasm.typecheck.meanings.dispatch import check_expression
from meshext_wasm.typecheck.meanings.generics import substitute
from meshext_wasm.typecheck.meanings.making import call_known, is_failed, keep
from meshext_wasm.typecheck.meanings.narrowing import path_of
from meshext_wasm.typecheck.meanings.symbols import (
    Binding,
    ClassSymbol,
    ConstantSymbol,
    FunctionSymbol,
    ModuleSymbol,
    find_field,
    find_member,
)
from meshext_wasm.typecheck.meanings.unions import display, has_none, is_dynamic
from meshext_wasm.typecheck.statements import unpacking

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body


def assign_target(body: Body, target: ast.expr, value: Expression) -> None:
    """`target = value`; the value is evaluated before anything of the target."""
    if is_failed(value) and not isinstance(target, ast.Name | ast.Tuple | ast.List):
        return
    match target:
        case ast.Name():
            body.assign_name(target, value)
        case ast.Attribute():
            assign_attribute(body, target, value)
        case ast.Subscript():
            assign_item(body, target, value)
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            assign_several(body, target, targets, value)
        case ast.Starred(value=inner):
            assign_target(body, inner, value)
        case _:
            body.report(target, "this can not be assigned to", "a name, an attribute or an item")


def assign_several(body: Body, node: ast.AST, targets: list[ast.expr], value: Expression) -> None:
    """`a, b = value`."""
    if is_failed(value) or isinstance(value.type, NeverType):
        if not is_failed(value):
            body.emit(Evaluate(loc=value.loc, value=value))
        for each in targets:
            assign_target(body, each, unpacking.nothing(body, each))
        return
    star = next((i for i, each in enumerate(targets) if isinstance(each, ast.Starred)), None)
    parts = unpacking.unpack(body, node, value, len(targets), star)
    for target, part in zip(targets, parts, strict=False):
        assign_target(body, target, part)


def hold(body: Body, value: Expression) -> Expression:
    """The value now, in a temporary where it is not simple."""
    with body.collect() as statements:
        kept = keep(body, statements, value)
    for each in statements:
        body.emit(each)
    return kept


def assign_attribute(body: Body, target: ast.Attribute, value: Expression) -> None:
    """`subject.name = value`."""
    owner = resolve(body, target.value)
    if isinstance(owner, ClassSymbol):
        assign_class_variable(body, target, owner, value)
        return
    if isinstance(owner, ModuleSymbol):
        body.report(target, "the names of a module are written in that module only", "a function there")
        return
    subject = check_expression(body, target.value)
    if is_failed(subject):
        return
    if has_none(subject.type):
        words = ast.unparse(target.value)
        body.report(target, f"{words} may be None here", f"test it first: `if {words} is not None:`")
        return
    if isinstance(subject.type, ClassType):
        write_attribute(body, target, subject, subject.type, value)
        return
    body.report(target, f"{display(subject.type)} has no {target.attr!r} to write", "narrow it first")


def assign_class_variable(body: Body, target: ast.Attribute, owner: ClassSymbol, value: Expression) -> None:
    """`Class.name = value`."""
    member = find_member(body.program, owner, target.attr)
    if isinstance(member, ConstantSymbol):
        member = member.variable
    if not isinstance(member, Global):
        body.report(target, f"{owner.cls.name} has no variable {target.attr!r}", "declare it in the class")
        return
    made = to_type(body, value, member.type, target)
    body.emit(WriteGlobal(loc=body.loc(target), variable=member, value=made))
    body.effect()


def write_attribute(
    body: Body, target: ast.Attribute, subject: Expression, type_: ClassType, value: Expression
) -> None:
    """A field, or a property with a setter."""
    program, name = body.program, target.attr
    symbol = program.class_symbol(type_.cls)
    found = find_field(program, symbol, name)
    member = find_member(program, symbol, name)
    if found is not None:
        owner, slot = found
        if owner.frozen and not hasattr(target, "written"):
            reason = f"{owner.cls.name} is frozen, so nobody writes {name}"
            body.report(target, reason, "dataclasses.replace(...), or a class that is not frozen")
            return
        wanted = substitute(slot.type, bindings_of(program, type_, owner))
        of_message = isinstance(slot.type, TypeVariable) and owner.cls.symbol.startswith("meshext.")
        if of_message and isinstance(wanted, ObjectType):
            reason = f"what the {name} of {display(type_)} may be is not known here"
            body.report(target, reason, f"annotate it with the filter's State: {owner.cls.name}[State]")
            return
        made = infer_field(body, slot, value, target) or to_type(body, value, wanted, target)
        loc = body.loc(target)
        body.emit(WriteField(loc=loc, subject=subject, field=slot, value=made))
        note_written(body, target, made.type, wanted)
    elif isinstance(member, FunctionSymbol) and member.binding is Binding.PROPERTY:
        if member.setter is None:
            body.report(target, f"{name!r} of {display(type_)} has no setter", "leave the assignment out")
            return
        kept = hold(body, value)
        call = methods.call_found(body, target, member.setter, subject, [kept])
        run(body, call)
    else:
        hint = f"declare it: write `{name}: ...` in the class, or set it in __init__"
        body.report(target, f"{display(type_)} has no field {name!r}", hint)


def infer_field(body: Body, slot: Field, value: Expression, node: ast.AST) -> Expression | None:
    """The value of a field whose type is being found from what is assigned to it."""
    if slot not in body.unit.open_fields:
        return None
    made = to_value(body, value, node)
    body.rounds.assign(slot, made.type)
    return made


def note_written(body: Body, target: ast.Attribute, given: Type, wanted: Type) -> None:
    """What is known of an attribute after it was written, and what no longer is."""
    name, path = target.attr, path_of(target)
    body.facts = body.facts.without(lambda each: name in each.split(".")[1:])
    if path is not None and given != wanted and not isinstance(given, NeverType):
        body.facts = body.facts.narrow(path, given)


def run(body: Body, call: Expression) -> None:
    """A call for its effect."""
    if not is_failed(call):
        body.emit(Evaluate(loc=call.loc, value=call))


def assign_item(body: Body, target: ast.Subscript, value: Expression) -> None:
    """`subject[index] = value`."""
    kept = hold(body, value)
    subject = check_expression(body, target.value)
    if is_failed(subject) or refused_none(body, target, subject):
        return
    write_item(body, target, subject, kept)


def refused_none(body: Body, target: ast.Subscript, subject: Expression) -> bool:
    """Whether it was reported that the subject may be None."""
    if not has_none(subject.type):
        return False
    words = ast.unparse(target.value)
    body.report(target, f"{words} may be None here", f"test it first: `if {words} is not None:`")
    return True


def write_item(body: Body, target: ast.Subscript, subject: Expression, value: Expression) -> None:
    """`__setitem__`, or `__setslice__`."""
    if is_dynamic(subject.type) and not isinstance(target.slice, ast.Slice):
        run(body, of_any(body, target, "set_item", subject, value))
        return
    if isinstance(target.slice, ast.Slice):
        method = operator_of(body, target, subject, "__setslice__", "takes no slices")
        arguments = bounds_of(body, target, target.slice)
    else:
        method = operator_of(body, target, subject, "__setitem__", "takes no items")
        if method is None:
            return
        wanted = None if growth.origins(body, subject) else key_type(body, method, subject)
        arguments = [check_expression(body, target.slice, wanted)]
    if method is not None:
        run(body, methods.call_found(body, target, method, subject, [*arguments, value]))


def of_any(
    body: Body, target: ast.Subscript, name: str, subject: Expression, *values: Expression
) -> Expression:
    """What is done to an item of a value that is asked what it is when it runs."""
    key = to_value(body, check_expression(body, target.slice), target)
    known = [to_value(body, each, target) for each in values]
    failures = [each for each in (key, *known) if is_failed(each)]
    if failures:
        return failures[0]
    body.effect()
    return call_known(body, body.loc(target), f"builtins.dynamic.{name}", subject, key, *known)


def delete_target(body: Body, target: ast.expr) -> None:
    """`del subject[index]`; other targets are refused."""
    if not isinstance(target, ast.Subscript):
        body.report(target, "this can not be deleted", "delete an item, or set it to None")
        return
    subject = check_expression(body, target.value)
    if is_failed(subject) or refused_none(body, target, subject):
        return
    if is_dynamic(subject.type) and not isinstance(target.slice, ast.Slice):
        run(body, of_any(body, target, "delete_item", subject))
        return
    if isinstance(target.slice, ast.Slice):
        method = operator_of(body, target, subject, "__delslice__", "loses no slices")
        arguments = bounds_of(body, target, target.slice)
    else:
        method = operator_of(body, target, subject, "__delitem__", "loses no items")
        if method is None:
            return
        arguments = [check_expression(body, target.slice, key_type(body, method, subject))]
    if method is not None:
        run(body, methods.call_found(body, target, method, subject, arguments))


def assign_augmented(body: Body, node: ast.AugAssign) -> None:
    """`target += value`: the parts of the target once."""
    match node.target:
        case ast.Name():
            left = check_expression(body, node.target)
            right = check_right(body, node, left)
            body.assign_name(node.target, operate_in_place(body, node, node.op, left, right))
        case ast.Attribute():
            augment_attribute(body, node, node.target)
        case ast.Subscript():
            augment_item(body, node, node.target)


def check_right(body: Body, node: ast.AugAssign, left: Expression) -> Expression:
    """The other operand."""
    hint = left.type if isinstance(left.type, RawType | ClassType) else None
    return check_expression(body, node.value, hint)


def augment_attribute(body: Body, node: ast.AugAssign, target: ast.Attribute) -> None:
    """`a.b += c`."""
    owner = resolve(body, target.value)
    if isinstance(owner, ClassSymbol):
        left = check_expression(body, target)
        right = check_right(body, node, left)
        assign_attribute(body, target, operate_in_place(body, node, node.op, left, right))
        return
    subject = hold(body, check_expression(body, target.value))
    if is_failed(subject):
        return
    from meshext_wasm.typecheck.expressions.names import seen_as

    left = seen_as(body, target, read_attribute(body, target, subject, target.attr))
    right = check_right(body, node, left)
    made = operate_in_place(body, node, node.op, left, right)
    if not is_failed(made) and isinstance(subject.type, ClassType):
        write_attribute(body, target, subject, subject.type, made)


def augment_item(body: Body, node: ast.AugAssign, target: ast.Subscript) -> None:
    """`a[i] += b`."""
    if isinstance(target.slice, ast.Slice):
        body.report(target, "a slice with an operator is not compiled", "it out")
        return
    subject = hold(body, check_expression(body, target.value))
    if is_failed(subject) or refused_none(body, target, subject):
        return
    index = check_expression(body, target.slice)
    kept = hold(body, index if isinstance(index.type, RawType) else to_value(body, index, target))
    ready = Ready(kept)
    left = item_of(body, target, subject, ready)
    right = check_right(body, node, left)
    made = hold(body, operate_in_place(body, node, node.op, left, right))
    if not is_failed(made):
        place = ast.copy_location(ast.Subscript(target.value, ready, ast.Store()), target)
        write_item(body, place, subject, made)


class Ready(ast.expr):
    """A node for an expression that is there already."""

    def __init__(self, expression: Expression) -> None:
        super().__init__()
        self.expression = expression

    def build(self, _body: Body) -> Expression:
        """The expression."""
        return self.expression
