"""New instances, and `super()`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, cast

from meshext_wasm.tree.expressions import Expression, MakeInstance
from meshext_wasm.tree.statements import Assign, Evaluate
from meshext_wasm.tree.types import ClassType, NoneType, Type
from meshext_wasm.typecheck.calling import functions
from meshext_wasm.typecheck.calling.arguments import Given, given_of, given_of_call
from meshext_wasm.typecheck.expressions import displays
from meshext_wasm.typecheck.meanings.dispatch import check_value
from meshext_wasm.typecheck.meanings.generics import substitute
from meshext_wasm.typecheck.meanings.making import (
    call_known,
    failed,
    is_failed,
    keep,
    narrow,
    read,
    refuse,
    sequence,
)
from meshext_wasm.typecheck.meanings.symbols import (
    Binding,
    ClassSymbol,
    FunctionSymbol,
    Overloads,
    Program,
    Signature,
    find_member,
)
from meshext_wasm.typecheck.meanings.unions import OBJECT, base_as, is_any, is_assignable

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body


CONTAINERS = ("list", "dict", "set")


def construct(
    body: Body, node: ast.AST, symbol: ClassSymbol, given: Given, expected: Type | None
) -> Expression:
    """`Class(arguments)`."""
    name = symbol.cls.name
    container = symbol.cls.symbol == f"builtins.{name}" and name in CONTAINERS
    if container and not given.positional and not given.keywords:
        return displays.make_empty(body, node, name, expected)
    if symbol.constructors:
        return call_constructors(body, node, symbol, given, expected)
    if symbol.abstract or symbol.protocol:
        return refuse(body, node, f"{name} is abstract", "make an instance of a class below it")
    made = make_instance(body, node, symbol, given, expected)
    return as_copy(body, made, expected) if container else made


def call_constructors(
    body: Body, node: ast.AST, symbol: ClassSymbol, given: Given, expected: Type | None
) -> Expression:
    """A function of the library that makes an instance."""
    if symbol.cls.name in ("int", "float") and len(given.positional) == 1:
        from meshext_wasm.typecheck.calling.knowing import number_of_raw

        made = number_of_raw(body, node, given, symbol.cls.name)
        if isinstance(made, Expression):
            return made
        given = made
        value = given.positional[0].expression
        if value is not None and is_any(value.type) and not given.keywords:
            return call_known(body, body.loc(node), f"builtins.dynamic.{symbol.cls.name}_of", value)
    found: FunctionSymbol | Overloads = symbol.constructors[0]
    if len(symbol.constructors) > 1:
        found = Overloads(symbol.cls.name, symbol.constructors)
    made = functions.call_symbol(body, node, found, given, expected=expected)
    if symbol is body.program.builtins.get("float") and not is_failed(made):
        return narrow(made, ClassType(symbol.cls))
    return as_copy(body, made, expected) if symbol.cls.name in CONTAINERS else made


def as_copy(body: Body, made: Expression, expected: Type | None) -> Expression:
    """A new list, dict or set, which nobody else knows: its items may be taken for what is wanted of them."""
    type_ = made.type
    if not (isinstance(type_, ClassType) and isinstance(expected, ClassType) and type_.cls is expected.cls):
        return made
    pairs = zip(type_.arguments, expected.arguments, strict=True)
    fits = all(is_assignable(body.program, given, wanted) for given, wanted in pairs)
    return narrow(made, expected) if fits else made


def make_instance(
    body: Body, node: ast.AST, symbol: ClassSymbol, given: Given, expected: Type | None
) -> Expression:
    """A new instance, then `__init__`."""
    program, loc = body.program, body.loc(node)
    init = find_member(program, symbol, "__init__")
    type_ = ClassType(symbol.cls, symbol.parameters)
    if isinstance(init, FunctionSymbol) and is_own_exception(program, symbol, init):
        return make_exception(body, node, symbol, init, given)
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
        [*statements, Evaluate(loc=loc, value=run)],
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


def is_own_exception(program: Program, symbol: ClassSymbol, init: FunctionSymbol) -> bool:
    """Whether it is an exception whose `__init__` is not the one that sets `args`."""
    base = program.builtins.get("BaseException")
    if not isinstance(base, ClassSymbol) or base_as(program, ClassType(symbol.cls), base.cls) is None:
        return False
    return init.owner is not base


def make_exception(
    body: Body, node: ast.AST, symbol: ClassSymbol, init: FunctionSymbol, given: Given
) -> Expression:
    """An exception with an `__init__` of its own: `args` are the arguments, whatever that does with them."""
    loc, type_ = body.loc(node), ClassType(symbol.cls)
    if given.keywords or any(each.spread for each in given.positional):
        words = f"{symbol.cls.name} keeps its arguments"
        return refuse(body, node, words, "them by position, without keywords and *")
    wanted = [each.type for each in init.signature.parameters]
    arguments: list[Expression] = []
    with body.collect() as statements:
        for number, each in enumerate(given.positional):
            hint = wanted[number] if number < len(wanted) else None
            value = each.expression or check_value(body, cast("ast.expr", each.node), hint)
            arguments.append(keep(body, statements, value))
    if any(map(is_failed, arguments)):
        return failed(loc)
    instance = body.temporary(".new", type_)
    made = MakeInstance(loc=loc, type=type_, cls=symbol.cls)
    new = read(loc, instance)
    kept = displays.make_tuple_of(body, node, [(each, False) for each in arguments], OBJECT)
    ready = call_known(body, loc, "builtins.exceptions.prepare", new, kept)
    call = functions.call_symbol(
        body, node, initialiser(symbol, init, body), given_of(node, arguments), receiver=new, exact=True
    )
    if is_failed(call):
        return call
    steps = [*statements, Assign(loc=loc, variable=instance, value=made)]
    return sequence([*steps, Evaluate(loc=loc, value=ready), Evaluate(loc=loc, value=call)], new)


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
