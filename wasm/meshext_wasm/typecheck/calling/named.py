"""`f(**values)` where f names its parameters: each is looked up in the dict when the program runs."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.statements import Evaluate, Statement
from meshext_wasm.tree.types import ClassType, ObjectType, Rep, TupleType, Type
from meshext_wasm.typecheck.calling.arguments import Argument, Given
from meshext_wasm.typecheck.meanings.conversions import to_rep, to_type
from meshext_wasm.typecheck.meanings.dispatch import check_value
from meshext_wasm.typecheck.meanings.making import (
    call_known,
    class_type,
    conditional,
    constant,
    is_failed,
    keep,
    narrow,
)
from meshext_wasm.typecheck.meanings.opening import check_items, is_told
from meshext_wasm.typecheck.meanings.symbols import FunctionSymbol, Kind, Parameter
from meshext_wasm.typecheck.meanings.unions import is_any, is_dynamic

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body


@dataclass(frozen=True, slots=True)
class Source:
    """The dict, and whether the call made it, so that nobody else knows what is in it."""

    node: ast.expr
    values: Expression
    fresh: bool


def spread_of(symbol: FunctionSymbol, given: Given) -> Argument | None:
    """The one `**` of a call whose function names all that it takes."""
    found = [argument for name, argument in given.keywords if name is None]
    takes = any(each.kind in (Kind.STARSTAR, Kind.STAR) for each in symbol.signature.parameters)
    return found[0] if len(found) == 1 and not takes else None


def named_one_by_one(
    body: Body, statements: list[Statement], symbol: FunctionSymbol, given: Given, spread: Argument
) -> Given | None:
    """The arguments with those of the dict by their names; None where it is no dict of text."""
    assert isinstance(spread.node, ast.expr)
    value = check_value(body, spread.node)
    fresh = isinstance(spread.node, ast.Call)
    if is_dynamic(value.type):
        unknown = ObjectType(unknown=True)
        lent = ClassType(body.program.builtin_class("dict"), (unknown, unknown), borrowed=True)
        value = to_type(body, value, lent, spread.node)
    if is_failed(value) or not isinstance(value.type, ClassType) or value.type.cls.name != "dict":
        return None
    source = Source(spread.node, keep(body, statements, value), fresh)
    left = missing_from(symbol, given)
    statements.append(look_at_names(body, symbol, source, left))
    made = tuple((each.name, Argument(spread.node, look_up(body, symbol, source, each))) for each in left)
    kept = tuple((name, argument) for name, argument in given.keywords if name is not None)
    return Given(given.positional, (*kept, *made))


def missing_from(symbol: FunctionSymbol, given: Given) -> list[Parameter]:
    """The parameters that the other arguments do not give."""
    named = {name for name, _ in given.keywords}
    left = symbol.signature.parameters[len(given.positional) :]
    return [each for each in left if each.name not in named and each.kind is not Kind.POSITIONAL]


def look_at_names(body: Body, symbol: FunctionSymbol, source: Source, left: list[Parameter]) -> Evaluate:
    """TypeError for a name that is no parameter."""
    loc, text = source.values.loc, class_type(body.program, "str")
    names = [constant(body.program, loc, each.name) for each in left]
    from meshext_wasm.typecheck.expressions.displays import make_tuple

    whole = make_tuple(body, source.node, [*names], TupleType(tuple(text for _ in names)))
    called = constant(body.program, loc, symbol.name)
    look = call_known(body, loc, "builtins.dynamic.check_names", source.values, whole, called)
    return Evaluate(loc=loc, value=look)


def look_up(body: Body, symbol: FunctionSymbol, source: Source, parameter: Parameter) -> Expression:
    """What the dict has for a parameter, else its default."""
    loc = source.values.loc
    name = constant(body.program, loc, parameter.name)
    called = constant(body.program, loc, symbol.name)
    found = call_known(body, loc, "builtins.dynamic.named", source.values, name, called)
    assert isinstance(source.values.type, ClassType)
    found = narrow(found, source.values.type.arguments[1])
    value = fitted(body, source, found, parameter.type)
    if parameter.default is None or is_failed(value):
        return value
    test = call_known(body, loc, "builtins.dynamic.is_named", source.values, name)
    default = to_rep(body, parameter.default, Rep.VALUE)
    return conditional(loc, to_rep(body, test, Rep.BOOL), value, default, parameter.type)


def fitted(body: Body, source: Source, value: Expression, wanted: Type) -> Expression:
    """A value as the parameter wants it; the items of a container that nobody else knows are looked at."""
    container = isinstance(wanted, ClassType) and wanted.cls.name in ("list", "dict") and source.fresh
    if not container or not is_any(value.type) or not all(map(is_told, getattr(wanted, "arguments", ()))):
        return to_type(body, value, wanted, source.node)
    assert isinstance(wanted, ClassType)
    unknown = tuple(ObjectType(unknown=True) for _ in wanted.arguments)
    lent = to_type(body, value, ClassType(wanted.cls, unknown, borrowed=True), source.node)
    return lent if is_failed(lent) else check_items(body, lent, wanted)
