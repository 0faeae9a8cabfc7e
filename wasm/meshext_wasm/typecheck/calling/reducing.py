"""`any`, `all`, `sum` and `next` over generator expressions: loops without a container."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.program import Variable
from meshext_wasm.tree.statements import Assign, Break, If, Raise
from meshext_wasm.tree.types import RawType, Rep, Type
from meshext_wasm.typecheck.calling import functions
from meshext_wasm.typecheck.calling.arguments import Given, given_of_call
from meshext_wasm.typecheck.calling.methods import call_method
from meshext_wasm.typecheck.expressions.comprehensions import run_generators
from meshext_wasm.typecheck.meanings.dispatch import check_condition, check_expression, check_value
from meshext_wasm.typecheck.meanings.making import (
    class_type,
    constant,
    convert,
    is_failed,
    negate,
    read,
    sequence,
    truth,
)
from meshext_wasm.typecheck.meanings.plain_values import own_next
from meshext_wasm.typecheck.meanings.symbols import ClassSymbol, FunctionSymbol, Overloads
from meshext_wasm.typecheck.meanings.unions import OBJECT, join

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body


def call_library(body: Body, node: ast.Call, expected: Type | None) -> Expression:
    """The library's function of this name."""
    assert isinstance(node.func, ast.Name)
    symbol = body.lookup(node.func.id)
    assert isinstance(symbol, FunctionSymbol | Overloads)
    return functions.call_symbol(body, node, symbol, given_of_call(body, node), expected=expected)


def build_any(body: Body, node: ast.Call, expected: Type | None) -> Expression:
    """`any(test for ...)`."""
    return search(body, node, expected, wanted=True)


def build_all(body: Body, node: ast.Call, expected: Type | None) -> Expression:
    """`all(test for ...)`."""
    return search(body, node, expected, wanted=False)


def search(body: Body, node: ast.Call, expected: Type | None, *, wanted: bool) -> Expression:
    """Look for the first item whose truth is `wanted`; the loops end there."""
    generator = node.args[0]
    if not isinstance(generator, ast.GeneratorExp):
        return call_library(body, node, expected)
    program, loc = body.program, body.loc(node)
    boolean = class_type(program, "bool")
    found = body.temporary(".found", boolean, Rep.BOOL)

    def look() -> None:
        test = check_condition(body, generator.elt)
        stop = Assign(loc=loc, variable=found, value=truth(program, loc, True))
        hit = test if wanted else negate(program, test)
        body.emit(If(loc=loc, test=hit, then=(stop, Break(loc=loc))))

    with body.collect() as statements:
        body.emit(Assign(loc=loc, variable=found, value=truth(program, loc, False)))
        run_generators(body, generator, generator.generators, look, lambda: leave(body, node, found))
    result = read(loc, found)
    return sequence(statements, result if wanted else negate(program, result))


def build_sum(body: Body, node: ast.Call, expected: Type | None) -> Expression:
    """`sum(number for ...)`: added up as they come."""
    from meshext_wasm.typecheck.expressions.operators import is_number, operate

    generator = node.args[0]
    if not isinstance(generator, ast.GeneratorExp):
        return call_library(body, node, expected)
    program, loc = body.program, body.loc(node)
    integer = class_type(program, "int")
    total = body.temporary(".total", integer)
    types: list[Type] = [integer]

    def add() -> None:
        item = check_expression(body, generator.elt)
        if is_failed(item):
            return
        if isinstance(item.type, RawType) or not is_number(program, item.type):
            body.report(generator.elt, "sum adds numbers", "join texts with ''.join(...), lists with extend")
            return
        types.append(operate(body, generator.elt, "add", constant(program, loc, 0), item).type)
        before = read(loc, total, join(program, *types))
        made = convert(operate(body, generator.elt, "add", before, item), Rep.VALUE)
        body.emit(Assign(loc=loc, variable=total, value=made))

    with body.collect() as statements:
        body.emit(Assign(loc=loc, variable=total, value=constant(program, loc, 0)))
        run_generators(body, generator, generator.generators, add)
    total.type = join(program, *types)
    return sequence(statements, read(loc, total))


def build_next(body: Body, node: ast.Call, expected: Type | None) -> Expression:
    """`next((item for ...), default)`: the first item, the loops end there; StopIteration without either."""
    generator = node.args[0]
    if not isinstance(generator, ast.GeneratorExp):
        subject = check_value(body, generator)
        if len(node.args) == 1 and own_next(body.program, subject.type) is not None:
            return call_method(body, node, subject, "__next__", [])
        return call_library(body, node, expected)
    program, loc = body.program, body.loc(node)
    found = body.temporary(".found", class_type(program, "bool"), Rep.BOOL)
    item = body.temporary(".item", OBJECT)
    types: list[Type] = []

    def take() -> None:
        value = check_value(body, generator.elt, expected)
        types.append(value.type)
        body.emit(Assign(loc=loc, variable=item, value=value))
        body.emit(Assign(loc=loc, variable=found, value=truth(program, loc, True)))
        body.emit(Break(loc=loc))

    with body.collect() as statements:
        if len(node.args) == 2:
            default = check_value(body, node.args[1], expected)
            types.append(default.type)
            body.emit(Assign(loc=loc, variable=item, value=default))
        body.emit(Assign(loc=loc, variable=found, value=truth(program, loc, False)))
        run_generators(body, generator, generator.generators, take, lambda: leave(body, node, found))
        if len(node.args) == 1:
            stop = Raise(loc=loc, value=stop_iteration(body, node))
            body.emit(If(loc=loc, test=read(loc, found), then=(), otherwise=(stop,)))
    item.type = join(program, *types)
    return sequence(statements, read(loc, item))


def leave(body: Body, node: ast.AST, found: Variable) -> None:
    """Leave the outer loops too once the item is found."""
    loc = body.loc(node)
    body.emit(If(loc=loc, test=read(loc, found), then=(Break(loc=loc),)))


def stop_iteration(body: Body, node: ast.AST) -> Expression:
    """The exception of `next` without an item."""
    from meshext_wasm.typecheck.calling.construct import construct

    symbol = body.program.builtins["StopIteration"]
    assert isinstance(symbol, ClassSymbol)
    return construct(body, node, symbol, Given(), None)
