"""Functions that are written here around something that is called in another way: a class, a method of an
instance, a function with defaults. As values they take what the place wants that they are passed to."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression, MakeFunction
from meshext_wasm.tree.program import Function, Variable
from meshext_wasm.tree.statements import Assign, Return
from meshext_wasm.tree.types import CallableType, ClassObjectType, ClassType, Rep, Type, UnionType
from meshext_wasm.typecheck.meanings.conversions import to_type, to_value
from meshext_wasm.typecheck.meanings.generics import variables_of
from meshext_wasm.typecheck.meanings.making import is_failed, read, refuse, sequence
from meshext_wasm.typecheck.meanings.members_of_enums import as_collection
from meshext_wasm.typecheck.meanings.unions import is_any, is_assignable, members_of

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

Build = Callable[[list[Expression]], Expression]


def make_function(
    body: Body,
    node: ast.AST,
    name: str,
    types: tuple[Type, ...],
    build: Build,
    captures: list[Variable],
) -> Expression:
    """A function value whose body is one expression of its parameters."""
    loc = body.loc(node)
    parameters = [Variable(f".argument{number}", each, Rep.VALUE) for number, each in enumerate(types)]
    function = Function(
        symbol=f"{body.function.symbol}.<locals>.{name}:{loc.line}:{loc.column}",
        loc=loc,
        parameters=parameters,
        captures=captures,
        outside=True,
    )
    outer, body.function = body.function, function
    try:
        made = to_value(body, build([read(loc, each) for each in parameters]), node)
    finally:
        body.function = outer
    if is_failed(made):
        return made
    function.body = [Return(loc=loc, value=made)]
    function.result_type = made.type
    return MakeFunction(loc=loc, type=CallableType(types, made.type), function=function)


def callable_in(expected: Type | None) -> CallableType | None:
    """The function type that a place wants, where it wants one."""
    if expected is None:
        return None
    return next((each for each in members_of(expected) if isinstance(each, CallableType)), None)


def class_as_function(body: Body, node: ast.AST, value: Expression, wanted: CallableType) -> Expression:
    """A class where a function is wanted: `key=int`, `default_factory=list`."""
    from meshext_wasm.typecheck.calling.arguments import given_of
    from meshext_wasm.typecheck.calling.construct import construct

    assert isinstance(value.type, ClassObjectType)
    cls = value.type.cls
    if cls is None:
        return refuse(body, node, "which class this is is not known here", "a lambda that calls it")
    symbol = body.program.class_symbol(cls)
    result = None if variables_of(wanted.result) else wanted.result

    def build(arguments: list[Expression]) -> Expression:
        return construct(body, node, symbol, given_of(node, arguments), result)

    return make_function(body, node, cls.name, wanted.parameters, build, [])


def is_iterable(wanted: Type) -> bool:
    """Whether a place wants items."""
    names = {each.cls.name for each in members_of(wanted) if isinstance(each, ClassType)}
    return bool(names & {"Iterable", "Collection", "Sequence"})


def adapted(body: Body, node: ast.AST, value: Expression, wanted: Type) -> Expression:
    """A class as a function, where that is what is wanted."""
    function = callable_in(wanted)
    if function is None:
        return as_collection(body, node, value) if is_iterable(wanted) else value
    if not isinstance(value.type, ClassObjectType):
        return value
    if isinstance(wanted, UnionType) and any(isinstance(each, ClassObjectType) for each in wanted.items):
        return value
    return class_as_function(body, node, value, function)


def takes_anything(body: Body, node: ast.AST, value: Expression, wanted: CallableType) -> Expression | None:
    """A function where one of Any is wanted: what it is called with is tested. None where that does not make
    it fit."""
    from meshext_wasm.typecheck.calling.arguments import given_of
    from meshext_wasm.typecheck.calling.function_values import call_value

    assert isinstance(value.type, CallableType)
    given, program = value.type.parameters, body.program
    pairs = zip(given, wanted.parameters, strict=False)
    fits = all(is_any(b) or is_assignable(program, b, a) for a, b in pairs)
    if len(given) != len(wanted.parameters) or not fits:
        return None
    if not (is_any(value.type.result) or is_assignable(program, value.type.result, wanted.result)):
        return None
    with body.collect() as statements:
        kept = body.temporary(".function", value.type)
    kept.cell = True
    statements.append(Assign(loc=value.loc, variable=kept, value=value))

    def build(arguments: list[Expression]) -> Expression:
        callee = read(value.loc, kept)
        made = call_value(body, node, callee, given_of(node, arguments))
        return made if is_failed(made) else to_type(body, made, wanted.result, node)

    made = make_function(body, node, "tested", wanted.parameters, build, [kept])
    return made if is_failed(made) else sequence(statements, made)
