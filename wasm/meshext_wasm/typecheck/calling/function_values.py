"""Calls of values: functions, classes and instances that are known when the program runs."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import CallValue, ClassValue, Expression
from meshext_wasm.tree.program import Class
from meshext_wasm.tree.statements import Evaluate, Statement
from meshext_wasm.tree.types import CallableType, ClassObjectType, ClassType, NeverType, Rep, Type
from meshext_wasm.typecheck.calling.arguments import Argument, Given
from meshext_wasm.typecheck.calling.methods import call_method
from meshext_wasm.typecheck.meanings.conversions import to_rep, to_type, to_value
from meshext_wasm.typecheck.meanings.dispatch import check_expression, check_value
from meshext_wasm.typecheck.meanings.making import (
    call_known,
    conditional,
    constant,
    failed,
    intrinsic,
    is_failed,
    is_simple,
    keep,
    narrow,
    refuse,
    sequence,
)
from meshext_wasm.typecheck.meanings.symbols import FunctionSymbol, find_member
from meshext_wasm.typecheck.meanings.unions import join

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body


def call_value(body: Body, node: ast.AST, callee: Expression, given: Given) -> Expression:
    """Call a function value."""
    type_ = callee.type
    if isinstance(type_, ClassObjectType) and type_.cls is not None:
        return call_class_value(body, node, callee, type_.cls, given)
    if not isinstance(type_, CallableType):
        if has_call(body, type_):
            return call_method(body, node, callee, "__call__", given)
        return refuse_callee(body, node, callee)
    if given.keywords or any(each.spread for each in given.positional):
        return refuse(body, node, "a function value takes positional arguments only", "them in order")
    if len(given.positional) != len(type_.parameters):
        count = f"{len(given.positional)} arguments, and the function takes {len(type_.parameters)}"
        return refuse(body, node, count, "as many as it takes")
    arguments = []
    for argument, wanted in zip(given.positional, type_.parameters, strict=True):
        made = argument.expression
        if made is None:
            assert isinstance(argument.node, ast.expr)
            made = check_expression(body, argument.node, wanted)
        arguments.append(to_type(body, made, wanted, argument.node))
    if any(map(is_failed, arguments)):
        return failed(body.loc(node))
    body.effect()
    return CallValue(loc=body.loc(node), type=type_.result, callee=callee, arguments=tuple(arguments))


def has_call(body: Body, type_: Type) -> bool:
    """Whether instances of a class of the program are called like functions."""
    view = type_ if isinstance(type_, ClassType) else None
    symbol = body.program.class_symbol(view.cls) if view is not None else None
    return symbol is not None and isinstance(find_member(body.program, symbol, "__call__"), FunctionSymbol)


def call_class_value(body: Body, node: ast.AST, callee: Expression, cls: Class, given: Given) -> Expression:
    """`cls(...)`: an instance of the class, or of the one below it that the value turns out to be."""
    from meshext_wasm.typecheck.calling.construct import construct

    below = [each for each in body.program.classes if each is not cls and is_under(each, cls)]
    if below:
        return call_one_of(body, node, callee, [cls, *below], given)
    made = construct(body, node, body.program.class_symbol(cls), given, None)
    if is_simple(callee):
        return made
    return sequence([Evaluate(loc=callee.loc, value=callee)], made)


def call_one_of(
    body: Body, node: ast.AST, callee: Expression, classes: list[Class], given: Given
) -> Expression:
    """An instance of one of several classes, each with the same arguments."""
    loc = body.loc(node)
    with body.collect() as statements:
        kept = keep(body, statements, callee)
        ready = kept_arguments(body, statements, given)
    if ready is None or is_failed(kept):
        return failed(loc)
    concrete = [each for each in classes if not body.program.class_symbol(each).abstract]
    made = choose_class(body, node, kept, concrete, ready)
    return sequence(statements, narrow(made, ClassType(classes[0])))


def kept_arguments(body: Body, statements: list[Statement], given: Given) -> Given | None:
    """The arguments, evaluated once."""

    def ready(argument: Argument) -> Argument:
        value = argument.expression
        if value is None:
            assert isinstance(argument.node, ast.expr)
            value = check_value(body, argument.node)
        return replace(argument, expression=keep(body, statements, value))

    made = Given(
        tuple(ready(each) for each in given.positional),
        tuple((name, ready(each)) for name, each in given.keywords),
    )
    return (
        None
        if any(each.expression is not None and is_failed(each.expression) for each in made.all())
        else made
    )


def choose_class(
    body: Body, node: ast.AST, kept: Expression, classes: list[Class], given: Given
) -> Expression:
    """The first class that the value is; TypeError where it is none of them, so an abstract one."""
    from meshext_wasm.typecheck.calling.construct import construct

    loc, program = body.loc(node), body.program
    if not classes:
        text = constant(program, loc, "Can't instantiate an abstract class")
        return call_known(body, loc, "builtins.errors.type_error", text)
    cls, *rest = classes
    here = to_value(body, construct(body, node, program.class_symbol(cls), given, None), node)
    other = choose_class(body, node, kept, rest, given)
    if is_failed(here):
        return here
    if is_failed(other) and rest:
        return other
    value = ClassValue(loc=loc, type=ClassObjectType(cls), cls=cls)
    test = intrinsic(program, loc, "value.is", kept, value)
    return conditional(loc, test, here, to_rep(body, other, Rep.VALUE), join(program, here.type, other.type))


def is_under(cls: Class | None, above: Class) -> bool:
    """Whether a class is, or is below, another."""
    while cls is not None:
        if cls is above:
            return True
        cls = cls.base
    return False


def refuse_callee(body: Body, node: ast.AST, callee: Expression) -> Expression:
    """It is no function."""
    from meshext_wasm.typecheck.meanings.unions import display, has_none, is_any

    if is_failed(callee) or isinstance(callee.type, NeverType):
        return callee
    hint = "test it for None first" if has_none(callee.type) else "call a function, a method or a class"
    if is_any(callee.type):
        hint = "say what it takes and gives: Callable[[X], Y]"
    return refuse(body, node, f"a value of type {display(callee.type)} can not be called", hint)
