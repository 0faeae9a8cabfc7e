"""Calls of values: functions, classes and instances that are known when the program runs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import CallValue, Expression
from meshext_wasm.tree.program import Class
from meshext_wasm.tree.statements import Evaluate
from meshext_wasm.tree.types import CallableType, ClassObjectType, ClassType, NeverType, Type
from meshext_wasm.typecheck.calling.arguments import Given
from meshext_wasm.typecheck.calling.methods import call_method
from meshext_wasm.typecheck.meanings.conversions import to_type
from meshext_wasm.typecheck.meanings.dispatch import check_expression
from meshext_wasm.typecheck.meanings.making import failed, is_failed, is_simple, refuse, sequence
from meshext_wasm.typecheck.meanings.symbols import FunctionSymbol, find_member

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
    """`cls(...)`: possible where no class below can be meant."""
    from meshext_wasm.typecheck.calling.construct import construct

    if any(is_under(each, cls) for each in body.program.classes if each is not cls):
        return refuse(
            body, node, f"which class below {cls.name} this makes is not known here", f"{cls.name}(...)"
        )
    made = construct(body, node, body.program.class_symbol(cls), given, None)
    if is_simple(callee):
        return made
    return sequence([Evaluate(loc=callee.loc, value=callee)], made)


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
