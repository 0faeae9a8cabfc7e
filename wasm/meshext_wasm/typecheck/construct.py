"""New instances, and `super()`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression, MakeInstance
from meshext_wasm.tree.statements import Assign, Evaluate
from meshext_wasm.tree.types import ClassType, NoneType, Type
from meshext_wasm.typecheck import functions
from meshext_wasm.typecheck.arguments import Given, given_of_call
from meshext_wasm.typecheck.generics import substitute
from meshext_wasm.typecheck.making import failed, is_failed, narrow, read, refuse, sequence
from meshext_wasm.typecheck.symbols import (
    Binding,
    ClassSymbol,
    FunctionSymbol,
    Overloads,
    Signature,
    find_member,
)
from meshext_wasm.typecheck.unions import base_as

if TYPE_CHECKING:
    from meshext_wasm.typecheck.body import Body


def construct(
    body: Body, node: ast.AST, symbol: ClassSymbol, given: Given, expected: Type | None
) -> Expression:
    """`Class(arguments)`."""
    from meshext_wasm.typecheck import displays

    name = symbol.cls.name
    container = symbol.cls.symbol == f"builtins.{name}" and name in ("list", "dict", "set")
    if container and not given.positional and not given.keywords:
        return displays.make_empty(body, node, name, expected)
    if symbol.constructors:
        return call_constructors(body, node, symbol, given, expected)
    if symbol.abstract:
        return refuse(body, node, f"{name} is abstract", "make an instance of a class below it")
    return make_instance(body, node, symbol, given, expected)


def call_constructors(
    body: Body, node: ast.AST, symbol: ClassSymbol, given: Given, expected: Type | None
) -> Expression:
    """A function of the library that makes an instance."""
    if symbol.cls.name == "int" and len(given.positional) == 1:
        from meshext_wasm.typecheck.knowing import int_of_raw

        made = int_of_raw(body, node, given)
        if isinstance(made, Expression):
            return made
        given = made
    found: FunctionSymbol | Overloads = symbol.constructors[0]
    if len(symbol.constructors) > 1:
        found = Overloads(symbol.cls.name, symbol.constructors)
    return functions.call_symbol(body, node, found, given, expected=expected)


def make_instance(
    body: Body, node: ast.AST, symbol: ClassSymbol, given: Given, expected: Type | None
) -> Expression:
    """A new instance, then `__init__`."""
    program, loc = body.program, body.loc(node)
    init = find_member(program, symbol, "__init__")
    type_ = ClassType(symbol.cls, symbol.parameters)
    instance = body.temporary(".new", type_)
    made = MakeInstance(loc=loc, type=type_, cls=symbol.cls)
    statements = [Assign(loc=loc, variable=instance, value=made)]
    if not isinstance(init, FunctionSymbol):
        if given.positional or given.keywords:
            return refuse(body, node, f"{symbol.cls.name}() takes no arguments", "leave them out")
        return sequence([*statements], read(loc, instance))
    fresh = initialiser(symbol, init, body)
    call = functions.call_symbol(
        body, node, fresh, given, receiver=read(loc, instance), expected=expected, exact=True
    )
    if is_failed(call):
        return failed(loc)
    result = call.type if isinstance(call.type, ClassType) else type_
    instance.type = result
    run = narrow(call, NoneType())
    return sequence(
        [*statements, *prepare(body, node, symbol, read(loc, instance)), Evaluate(loc=loc, value=run)],
        read(loc, instance, result),
    )


def initialiser(symbol: ClassSymbol, init: FunctionSymbol, body: Body) -> FunctionSymbol:
    """`__init__` seen as a function whose result is the instance, so that type parameters are found."""
    own = ClassType(symbol.cls, symbol.parameters)
    owner = init.owner
    seen = base_as(body.program, own, owner.cls) if owner else None
    names = [each.name for each in owner.parameters] if owner else []
    bindings = dict(zip(names, seen.arguments if seen else (), strict=False))
    from dataclasses import replace

    parameters = tuple(
        replace(each, type=substitute(each.type, bindings)) for each in init.signature.parameters
    )
    result: Type = own if symbol.parameters else init.signature.result
    return FunctionSymbol(
        name=symbol.cls.name,
        function=init.function,
        signature=Signature(parameters, result),
        binding=Binding.STATIC,
        method=None,
    )


def prepare(body: Body, node: ast.AST, symbol: ClassSymbol, instance: Expression) -> list[Evaluate]:
    """What an exception has before its own `__init__` runs."""
    del body, node, symbol, instance
    return []


def call_super(body: Body, node: ast.Call, name: str, expected: Type | None) -> Expression:
    """`super().method(...)`: the method of the class above, on this instance."""
    program, loc = body.program, body.loc(node)
    owner = body.owner
    if owner is None or owner.base is None or not body.function.parameters:
        return refuse(body, node, "super() is for methods", "call the function by its name")
    above = program.class_symbol(owner.base.cls)
    member = find_member(program, above, name)
    if not isinstance(member, FunctionSymbol | Overloads):
        return refuse(body, node, f"no class above {owner.cls.name} has {name}()", "leave super() out")
    receiver = read(loc, body.function.parameters[0])
    given = given_of_call(body, node)
    return functions.call_symbol(body, node, member, given, receiver=receiver, expected=expected, exact=True)
