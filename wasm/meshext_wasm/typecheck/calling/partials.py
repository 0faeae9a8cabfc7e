"""`functools.partial`: a function with its first arguments, or some by name, given already."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.program import Variable
from meshext_wasm.tree.statements import Assign, Statement
from meshext_wasm.tree.types import CallableType, Type
from meshext_wasm.typecheck.calling import functions
from meshext_wasm.typecheck.calling.adapters import make_function
from meshext_wasm.typecheck.calling.arguments import Argument, Given
from meshext_wasm.typecheck.calling.function_values import call_value
from meshext_wasm.typecheck.expressions.names import resolve
from meshext_wasm.typecheck.meanings.conversions import to_type
from meshext_wasm.typecheck.meanings.dispatch import check_value
from meshext_wasm.typecheck.meanings.making import failed, is_failed, read, refuse, sequence
from meshext_wasm.typecheck.meanings.symbols import Binding, FunctionSymbol, Kind

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

PLAIN = (Kind.POSITIONAL, Kind.NORMAL)


def build_partial(body: Body, node: ast.Call, _expected: Type | None) -> Expression:
    """`partial(function, a, name=b)`."""
    starred = any(isinstance(each, ast.Starred) for each in node.args)
    if not node.args or starred or any(each.arg is None for each in node.keywords):
        return refuse(body, node, "partial takes a function and its arguments", "partial(f, 1), or a lambda")
    found = resolve(body, node.args[0])
    if isinstance(found, FunctionSymbol) and found.binding in (Binding.FUNCTION, Binding.STATIC):
        return of_function(body, node, found)
    return of_value(body, node)


def hold(body: Body, node: ast.AST, statements: list[Statement], value: Expression) -> Variable:
    """A value in a variable that the new function shares."""
    variable = body.temporary(".given", value.type)
    variable.cell = True
    statements.append(Assign(loc=body.loc(node), variable=variable, value=value))
    return variable


def of_function(body: Body, node: ast.Call, found: FunctionSymbol) -> Expression:
    """Of a function that is known by name."""
    parameters = found.signature.parameters
    by_name = {each.name: each for each in parameters if each.kind in (*PLAIN, Kind.KEYWORD)}
    places = [each for each in parameters if each.kind in PLAIN]
    rest = [each for each in parameters if each.kind is Kind.STAR]
    places += rest * max(len(node.args) - 1 - len(places), 0)
    if len(node.args) - 1 > len(places):
        return refuse(body, node, f"{found.name}() takes {len(places)} arguments", "leave the others out")
    wanted: list[Type | None] = [each.type for each in places[: len(node.args) - 1]]
    wanted += [by_name[each.arg].type if each.arg in by_name else None for each in node.keywords]
    nodes = [*node.args[1:], *(each.value for each in node.keywords)]
    statements: list[Statement] = []
    held: list[Variable] = []
    for place, type_ in zip(nodes, wanted, strict=True):
        value = check_value(body, place, type_)
        value = value if type_ is None else to_type(body, value, type_, place)
        if is_failed(value):
            return failed(body.loc(node))
        held.append(hold(body, place, statements, value))
    first, named = held[: len(node.args) - 1], held[len(node.args) - 1 :]
    names = [each.arg or "" for each in node.keywords]
    left = [each.type for each in places[len(first) :] if each.default is None and each.name not in names]

    def build(arguments: list[Expression]) -> Expression:
        loc = body.loc(node)
        given = [*(read(loc, each) for each in first), *arguments]
        keywords = [(name, Argument(node, read(loc, each))) for name, each in zip(names, named, strict=True)]
        everything = Given(tuple(Argument(node, each) for each in given), tuple(keywords))
        return functions.call_symbol(body, node, found, everything)

    captures = [*held, *([found.value] if found.value is not None else [])]
    return sequence(statements, make_function(body, node, "partial", tuple(left), build, captures))


def of_value(body: Body, node: ast.Call) -> Expression:
    """Of a function value: what it takes is known by position alone."""
    callee = check_value(body, node.args[0])
    if is_failed(callee):
        return callee
    type_ = callee.type
    if not isinstance(type_, CallableType) or node.keywords or len(node.args) - 1 > len(type_.parameters):
        return refuse(body, node.args[0], "partial of this is not compiled", "a lambda that calls it")
    statements: list[Statement] = []
    held = [hold(body, node, statements, callee)]
    for place, wanted in zip(node.args[1:], type_.parameters, strict=False):
        value = to_type(body, check_value(body, place, wanted), wanted, place)
        if is_failed(value):
            return value
        held.append(hold(body, place, statements, value))

    def build(arguments: list[Expression]) -> Expression:
        loc = body.loc(node)
        given = [*(read(loc, each) for each in held[1:]), *arguments]
        everything = Given(tuple(Argument(node, each) for each in given))
        return call_value(body, node, read(loc, held[0]), everything)

    left = type_.parameters[len(held) - 1 :]
    return sequence(statements, make_function(body, node, "partial", left, build, held))
