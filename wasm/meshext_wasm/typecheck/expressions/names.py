"""Names and attributes: what they mean, and how they are read."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import ClassValue, Expression, MakeFunction, ReadGlobal
from meshext_wasm.tree.program import Global, Variable
from meshext_wasm.tree.types import CallableType, ClassObjectType, ClassType, RawType, Type, UnionType
from meshext_wasm.typecheck.calling import spelled
from meshext_wasm.typecheck.expressions import attributes
from meshext_wasm.typecheck.meanings.conversions import raw_literal
from meshext_wasm.typecheck.meanings.dispatch import check_expression
from meshext_wasm.typecheck.meanings.making import constant, failed, is_failed, narrow, read, refuse
from meshext_wasm.typecheck.meanings.narrowing import path_of
from meshext_wasm.typecheck.meanings.refusals import NAMES, hint_for_name
from meshext_wasm.typecheck.meanings.symbols import (
    AliasSymbol,
    Binding,
    ClassSymbol,
    ConstantSymbol,
    FunctionSymbol,
    Kind,
    MissingSymbol,
    ModuleSymbol,
    Overloads,
    RawSymbol,
    Signature,
    Symbol,
    find_member,
)

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body


def resolve(body: Body, node: ast.expr) -> Symbol | None:
    """What a name, or an attribute of a module or class, means without evaluating anything."""
    if isinstance(node, ast.Name):
        return body.lookup(node.id)
    if isinstance(node, ast.Attribute):
        owner = resolve(body, node.value)
        if isinstance(owner, ModuleSymbol):
            return owner.names.get(node.attr)
        if isinstance(owner, ClassSymbol):
            return find_member(body.program, owner, node.attr)
        if isinstance(owner, MissingSymbol):
            return owner
    return None


def build_name(body: Body, node: ast.expr, expected: Type | None) -> Expression:
    """Read a name."""
    assert isinstance(node, ast.Name)
    symbol = body.lookup(node.id)
    if symbol is None:
        known = "is not compiled" if node.id in NAMES else "is not known here"
        return refuse(body, node, f"{node.id} {known}", hint_for_name(node.id))
    return seen_as(body, node, read_symbol(body, node, symbol, expected))


def seen_as(body: Body, node: ast.expr, expression: Expression) -> Expression:
    """What a test before has told about a name or attribute."""
    path = path_of(node)
    known = body.narrowed(path) if path else None
    return expression if known is None or is_failed(expression) else narrow(expression, known)


def read_symbol(body: Body, node: ast.AST, symbol: Symbol, expected: Type | None = None) -> Expression:
    """The value of what a name means."""
    loc = body.loc(node)
    match symbol:
        case Variable():
            return read(loc, symbol)
        case Global():
            return ReadGlobal(loc=loc, type=symbol.type, variable=symbol)
        case ConstantSymbol(value=value, type=type_):
            made = constant(body.program, loc, value)
            if isinstance(expected, RawType) and isinstance(value, int | float):
                return raw_literal(made, expected)
            return replace(made, type=type_)
        case FunctionSymbol():
            return read_function(body, node, symbol, expected)
        case Overloads():
            return read_function(body, node, symbol, expected)
        case ClassSymbol(cls=cls) if not symbol.protocol:
            return ClassValue(loc=loc, type=ClassObjectType(cls), cls=cls)
        case MissingSymbol():
            return failed(loc)
        case RawSymbol(name=name) if name in ("array", "cell", "function"):
            cls = body.program.builtin_class(name)
            return ClassValue(loc=loc, type=ClassObjectType(cls), cls=cls)
    written = spelled.spelled_name(symbol)
    if written is not None:
        return spelled.read_spelled(body, node, written, expected)
    known = symbol.cls.name if isinstance(symbol, ClassSymbol) else getattr(symbol, "name", "this")
    reason = f"{known} is no value"
    hint = "call it, or use what is in it"
    if isinstance(symbol, AliasSymbol | ClassSymbol):
        hint = "it is a type: use it in annotations only"
    return refuse(body, node, reason, hint)


def callable_type(signature: Signature) -> CallableType:
    """A function as a value: its positional parameters that have no default."""
    needed = [
        each.type
        for each in signature.parameters
        if each.kind in (Kind.POSITIONAL, Kind.NORMAL) and each.default is None
    ]
    return CallableType(tuple(needed), signature.result)


def read_function(
    body: Body, node: ast.AST, found: FunctionSymbol | Overloads, expected: Type | None
) -> Expression:
    """A function as a value; one with alternatives or defaults gets a function around it."""
    loc = body.loc(node)
    if isinstance(found, FunctionSymbol) and found.waits:
        return refuse(body, node, f"{found.name} is async and no value", f"await {found.name}(...)")
    symbol = found.alternatives[0] if isinstance(found, Overloads) else found
    type_ = callable_type(symbol.signature)
    if symbol.value is not None:
        return read(loc, symbol.value, type_)
    if symbol.binding is Binding.METHOD:
        owner = ClassType(symbol.owner.cls, symbol.owner.parameters) if symbol.owner else type_
        type_ = CallableType((owner, *type_.parameters), type_.result)
    elif symbol.binding is Binding.CLASS:
        return wrap_function(body, node, found, type_, expected)
    if len(type_.parameters) != len(symbol.function.parameters) or isinstance(found, Overloads):
        return wrap_function(body, node, found, type_, expected)
    if any(isinstance(each, RawType) for each in (*type_.parameters, type_.result)):
        return refuse(body, node, f"{symbol.name} takes raw numbers", "a lambda that calls it")
    return MakeFunction(loc=loc, type=type_, function=symbol.function)


def wrap_function(
    body: Body,
    node: ast.AST,
    found: FunctionSymbol | Overloads,
    plain: CallableType,
    expected: Type | None,
) -> Expression:
    """A function around one that does not take exactly what the place gives."""
    from meshext_wasm.typecheck.calling import functions
    from meshext_wasm.typecheck.calling.adapters import callable_in, make_function
    from meshext_wasm.typecheck.calling.arguments import given_of

    wanted = callable_in(expected) or plain
    first = found.alternatives[0] if isinstance(found, Overloads) else found

    def build(arguments: list[Expression]) -> Expression:
        if first.binding in (Binding.METHOD, Binding.PROPERTY):
            given = given_of(node, arguments[1:])
            return functions.call_symbol(body, node, found, given, receiver=arguments[0])
        return functions.call_symbol(body, node, found, given_of(node, arguments))

    if first.binding is Binding.CLASS:
        words = f"{first.name} is a class method, and no function value"
        return refuse(body, node, words, "a lambda that calls it")
    return make_function(body, node, found.name, wanted.parameters, build, [])


def build_attribute(body: Body, node: ast.expr, expected: Type | None) -> Expression:
    """Read an attribute of a module, a class or an instance."""
    assert isinstance(node, ast.Attribute)
    owner = resolve(body, node.value)
    if isinstance(owner, ModuleSymbol | ClassSymbol):
        symbol = resolve(body, node)
        if symbol is not None:
            return seen_as(body, node, read_symbol(body, node, symbol, expected))
        if isinstance(owner, ModuleSymbol):
            name = owner.name.rpartition(".")[2]
            return refuse(body, node, f"{name} has no {node.attr} here", "see the list of what is compiled")
        return attributes.read_class_attribute(body, node, owner, node.attr)
    subject = check_expression(body, node.value)
    if is_failed(subject):
        return subject
    return seen_as(body, node, attributes.read_attribute(body, node, subject, node.attr))


def build_walrus(body: Body, node: ast.expr, expected: Type | None) -> Expression:
    """`name := value`: written, and its value."""
    from meshext_wasm.typecheck.meanings.conversions import to_value
    from meshext_wasm.typecheck.meanings.making import keep, sequence

    assert isinstance(node, ast.NamedExpr)
    value = check_expression(body, node.value, expected)
    if not isinstance(value.type, RawType):
        value = to_value(body, value, node.value)
    with body.collect() as statements:
        kept = keep(body, statements, value)
        body.assign_name(node.target, kept)
    return sequence(statements, kept)


def build_lambda(body: Body, node: ast.expr, expected: Type | None) -> Expression:
    """A function value without a name; its parameters' types come from where it stands."""
    assert isinstance(node, ast.Lambda)
    wanted = expected
    if isinstance(expected, UnionType):
        wanted = next((each for each in expected.items if isinstance(each, CallableType)), None)
    return body.check_function(node, wanted if isinstance(wanted, CallableType) else None)
