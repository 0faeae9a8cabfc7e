"""New instances, and `super()`."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from meshext_wasm.tree.expressions import Expression, MakeInstance
from meshext_wasm.tree.statements import Assign, Evaluate, Statement
from meshext_wasm.tree.types import ClassType, NoneType, ObjectType, Type
from meshext_wasm.typecheck.calling import functions
from meshext_wasm.typecheck.calling.arguments import Argument, Given, given_of, given_of_call
from meshext_wasm.typecheck.expressions import displays
from meshext_wasm.typecheck.meanings.conversions import to_type
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
from meshext_wasm.typecheck.meanings.opening import as_checked_copy
from meshext_wasm.typecheck.meanings.symbols import (
    Binding,
    ClassSymbol,
    FunctionSymbol,
    Overloads,
    Program,
    Signature,
    find_member,
)
from meshext_wasm.typecheck.meanings.unions import OBJECT, base_as, is_any

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body


CONTAINERS = ("list", "dict", "set")
EAGER_NODES = (ast.GeneratorExp, ast.Lambda, ast.List, ast.Tuple, ast.ListComp, ast.Dict)
"""What is checked where the function that takes it is known."""


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
    return as_checked_copy(body, made, expected) if container else made


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
    given = with_dict(body, symbol, given)
    found: FunctionSymbol | Overloads = symbol.constructors[0]
    if len(symbol.constructors) > 1:
        found = Overloads(symbol.cls.name, symbol.constructors)
    made = functions.call_symbol(body, node, found, given, expected=expected)
    if symbol is body.program.builtins.get("float") and not is_failed(made):
        return narrow(made, ClassType(symbol.cls))
    return as_checked_copy(body, made, expected) if symbol.cls.name in CONTAINERS else made


def with_dict(body: Body, symbol: ClassSymbol, given: Given) -> Given:
    """The argument of `dict(x)` as the dict that it has to be, where it is Any; any other as it is."""
    if symbol is not body.program.builtins.get("dict") or len(given.positional) != 1 or given.keywords:
        return given
    (argument,) = given.positional
    if argument.expression is not None or isinstance(argument.node, EAGER_NODES) or argument.spread:
        return given
    assert isinstance(argument.node, ast.expr)
    value = check_value(body, argument.node)
    if is_any(value.type):
        unknown = ObjectType(unknown=True)
        lent = ClassType(symbol.cls, (unknown, unknown), borrowed=True)
        value = to_type(body, value, lent, argument.node)
    return Given((replace(argument, expression=value),), ())


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
    """An exception with an `__init__` of its own: `args` are the arguments by position, whatever that does
    with them."""
    loc, type_ = body.loc(node), ClassType(symbol.cls)
    if any(each.spread for each in given.all()):
        words = f"{symbol.cls.name} keeps its arguments"
        return refuse(body, node, words, "them one by one, without * and **")
    types = [each.type for each in init.signature.parameters]
    by_name = {each.name: each.type for each in init.signature.parameters}
    with body.collect() as statements:
        arguments = [
            kept_argument(body, statements, each, types[number] if number < len(types) else None)
            for number, each in enumerate(given.positional)
        ]
        named = tuple(
            (name, Argument(each.node, kept_argument(body, statements, each, by_name.get(name or ""))))
            for name, each in given.keywords
        )
    ready_given = Given(given_of(node, arguments).positional, named)
    if any(each.expression is not None and is_failed(each.expression) for each in ready_given.all()):
        return failed(loc)
    instance = body.temporary(".new", type_)
    made = MakeInstance(loc=loc, type=type_, cls=symbol.cls)
    new = read(loc, instance)
    kept = displays.make_tuple_of(body, node, [(each, False) for each in arguments], OBJECT)
    ready = call_known(body, loc, "builtins.exceptions.prepare", new, kept)
    call = functions.call_symbol(
        body, node, initialiser(symbol, init, body), ready_given, receiver=new, exact=True
    )
    if is_failed(call):
        return call
    steps = [*statements, Assign(loc=loc, variable=instance, value=made)]
    return sequence([*steps, Evaluate(loc=loc, value=ready), Evaluate(loc=loc, value=call)], new)


def kept_argument(
    body: Body, statements: list[Statement], argument: Argument, hint: Type | None
) -> Expression:
    """An argument, evaluated once."""
    value = argument.expression or check_value(body, cast("ast.expr", argument.node), hint)
    return keep(body, statements, value)


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
