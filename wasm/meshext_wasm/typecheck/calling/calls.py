"""Calls: what is called decides how."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.types import CallableType, Type, TypeVariable
from meshext_wasm.typecheck.calling import construct, functions, knowing, matches, methods, spelled
from meshext_wasm.typecheck.calling.arguments import Given, given_of, given_of_call
from meshext_wasm.typecheck.calling.function_values import call_value
from meshext_wasm.typecheck.expressions import raw, templates
from meshext_wasm.typecheck.expressions.names import resolve
from meshext_wasm.typecheck.meanings.dispatch import check_expression, check_value
from meshext_wasm.typecheck.meanings.making import constant, failed, is_failed, refuse
from meshext_wasm.typecheck.meanings.narrowing import declared_type, path_of
from meshext_wasm.typecheck.meanings.plain_values import named_tuple
from meshext_wasm.typecheck.meanings.refusals import hint_for_name
from meshext_wasm.typecheck.meanings.symbols import (
    Binding,
    ClassSymbol,
    FunctionSymbol,
    ModuleSymbol,
    Overloads,
    RawSymbol,
    SpecialSymbol,
    Symbol,
    find_member,
)
from meshext_wasm.typecheck.meanings.unions import widen

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body


def build_call(body: Body, node: ast.expr, expected: Type | None) -> Expression:
    """`callee(arguments)`."""
    assert isinstance(node, ast.Call)
    if writes_frozen(body, node):
        return write_frozen(body, node)
    symbol = resolve(body, node.func)
    special = knowing.find(body, node, symbol)
    if special is not None:
        return special(body, node, expected)
    match symbol:
        case RawSymbol(name):
            return raw.call(body, node, name, expected)
        case ClassSymbol():
            return construct.construct(body, node, symbol, given_of_call(body, node), expected)
        case FunctionSymbol() | Overloads():
            return call_named(body, node, symbol, expected)
        case SpecialSymbol(name):
            known = spelled.spelled_name(symbol)
            if known is not None:
                return spelled.call_spelled(body, node, known, expected)
            return refuse(body, node, f"{name}() is not compiled", hint_for_name(name))
    if isinstance(node.func, ast.Attribute) and symbol is None:
        made = call_attribute(body, node, node.func, expected)
        if made is not None:
            return made
    if isinstance(node.func, ast.Lambda) and not node.keywords:
        return call_lambda(body, node, node.func)
    callee = check_expression(body, node.func)
    if is_failed(callee):
        return callee
    return call_value(body, node, callee, given_of_call(body, node))


def writes_frozen(body: Body, node: ast.Call) -> bool:
    """Whether it is `object.__setattr__(self, "name", value)` in a constructor, as of a frozen dataclass."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="object"), attr="__setattr__"),
            args=[ast.Name(), ast.Constant(value=str()), _],
            keywords=[],
        ):
            own = body.own.node if body.own is not None else None
            return getattr(own, "name", "") in ("__init__", "__post_init__")
    return False


def write_frozen(body: Body, node: ast.Call) -> Expression:
    """The assignment that it is."""
    from meshext_wasm.typecheck.statements.targets import assign_attribute

    instance, name, value = node.args
    assert isinstance(name, ast.Constant)
    target = ast.copy_location(ast.Attribute(instance, str(name.value), ast.Store()), node)
    target.written = True  # type: ignore[attr-defined]
    assign_attribute(body, target, check_expression(body, value, attribute_type(body, target)))
    return constant(body.program, body.loc(node), None)


def attribute_type(body: Body, target: ast.Attribute) -> Type | None:
    """What an attribute that is written is declared to be."""
    path = path_of(target)
    return declared_type(body, path) if path is not None else None


def call_lambda(body: Body, node: ast.Call, function: ast.Lambda) -> Expression:
    """`(lambda x: ...)(value)`: the arguments tell the parameters' types."""
    if any(isinstance(each, ast.Starred) for each in node.args):
        return refuse(body, node, "how many arguments these are is not known here", "them one by one")
    values = [check_value(body, each) for each in node.args]
    if any(map(is_failed, values)):
        return failed(body.loc(node))
    wanted = CallableType(tuple(widen(each.type) for each in values), TypeVariable("result"))
    callee = body.check_function(function, wanted)
    return callee if is_failed(callee) else call_value(body, node, callee, given_of(node, values))


def call_named(
    body: Body, node: ast.Call, symbol: FunctionSymbol | Overloads, expected: Type | None
) -> Expression:
    """A function by its name, or `Class.method(...)`."""
    given = given_of_call(body, node)
    first = symbol.alternatives[0] if isinstance(symbol, Overloads) else symbol
    match first.binding:
        case Binding.METHOD | Binding.PROPERTY:
            return call_unbound(body, node, symbol, given, expected)
        case Binding.CLASS:
            assert isinstance(node.func, ast.Attribute)
            receiver = check_expression(body, node.func.value)
            return functions.call_symbol(body, node, symbol, given, receiver=receiver, expected=expected)
    return functions.call_symbol(body, node, symbol, given, expected=expected)


def call_unbound(
    body: Body, node: ast.Call, symbol: FunctionSymbol | Overloads, given: Given, expected: Type | None
) -> Expression:
    """`Class.method(instance, ...)`: that class's method, no subclass's."""
    from meshext_wasm.tree.types import ClassType
    from meshext_wasm.typecheck.meanings.conversions import to_type

    first = symbol.alternatives[0] if isinstance(symbol, Overloads) else symbol
    if not given.positional or given.positional[0].spread or first.owner is None:
        return refuse(body, node, f"{first.name}() needs its instance", "it as the first argument")
    instance, *rest = given.positional
    receiver = instance.expression
    if receiver is None:
        assert isinstance(instance.node, ast.expr)
        receiver = check_expression(body, instance.node)
    if not first.owner.parameters:
        receiver = to_type(body, receiver, ClassType(first.owner.cls), instance.node)
    if is_failed(receiver):
        return receiver
    remaining = Given(tuple(rest), given.keywords)
    return functions.call_symbol(
        body, node, symbol, remaining, receiver=receiver, expected=expected, exact=True
    )


def call_attribute(
    body: Body, node: ast.Call, callee: ast.Attribute, expected: Type | None
) -> Expression | None:
    """`subject.method(...)`; None where the attribute is a value that is called."""
    from meshext_wasm.typecheck.expressions.attributes import read_attribute, with_attribute

    if is_super(body, callee.value):
        return construct.call_super(body, node, callee.attr, expected)
    owner = resolve(body, callee.value)
    if isinstance(owner, ModuleSymbol | ClassSymbol):
        return None
    template = callee.value.value if isinstance(callee.value, ast.Constant) else None
    if callee.attr == "format" and isinstance(template, str):
        return templates.build_format(body, node, template)
    subject = check_expression(body, callee.value)
    subject = subject if is_failed(subject) else with_attribute(body, callee, subject, callee.attr)
    if is_failed(subject):
        return subject
    if callee.attr == "_replace" and named_tuple(body.program, subject.type) is not None:
        whole = ast.Call(node.func, [callee.value, *node.args], node.keywords)
        return knowing.build_replace(body, ast.copy_location(whole, node), expected)
    if not all_methods(body, subject, callee.attr):
        from meshext_wasm.typecheck.expressions.names import seen_as

        value = seen_as(body, callee, read_attribute(body, callee, subject, callee.attr))
        if is_failed(value):
            return value
        return call_value(body, node, value, given_of_call(body, node))
    given = given_of_call(body, node)
    made = methods.call_method(body, callee, subject, callee.attr, given, expected)
    return matches.see_call(body, node, subject, made)


def all_methods(body: Body, subject: Expression, name: str) -> bool:
    """Whether the attribute is a method of every class that the subject may have; no class at all counts,
    so that the refusal speaks of a method."""
    from meshext_wasm.typecheck.meanings.symbols import find_field
    from meshext_wasm.typecheck.meanings.unions import class_view, members_of

    program = body.program
    for each in members_of(subject.type):
        view = class_view(program, each)
        if view is None:
            continue
        symbol = program.class_symbol(view.cls)
        member = find_member(program, symbol, name)
        if find_field(program, symbol, name) is not None or not is_method(member):
            return member is None and find_field(program, symbol, name) is None
    return True


def is_method(member: Symbol | None) -> bool:
    """Whether it is called, not read and then called."""
    return isinstance(member, Overloads) or (
        isinstance(member, FunctionSymbol) and member.binding is not Binding.PROPERTY
    )


def is_super(body: Body, node: ast.expr) -> bool:
    """`super()`."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "super"
        and isinstance(body.lookup("super"), SpecialSymbol)
    )
