"""Statements that raise and that catch: raise, try, with."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.scope.names import assigned_in
from meshext_wasm.tree.expressions import Expression, Unset
from meshext_wasm.tree.program import Class, Variable
from meshext_wasm.tree.statements import Assign, Handler, Raise, Statement, Try, WriteField
from meshext_wasm.tree.types import ClassType, NeverType
from meshext_wasm.typecheck.meanings.conversions import to_type, to_value
from meshext_wasm.typecheck.meanings.dispatch import check_expression
from meshext_wasm.typecheck.meanings.facts import Facts, join_facts, root
from meshext_wasm.typecheck.meanings.making import constant, is_failed, read
from meshext_wasm.typecheck.meanings.narrowing import classes_of
from meshext_wasm.typecheck.meanings.symbols import ClassSymbol, find_field
from meshext_wasm.typecheck.meanings.unions import base_as, join
from meshext_wasm.typecheck.statements.flow import branch, check_nodes, forget_written

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body


def root_exception(body: Body) -> ClassType:
    """BaseException."""
    return ClassType(body.program.builtin_class("BaseException"))


def check_raise(body: Body, node: ast.Raise) -> None:
    """`raise error`, `raise error from cause`, and `raise` alone in a handler."""
    if node.exc is None:
        raise_again(body, node)
    else:
        raise_new(body, node, node.exc)
    body.facts = body.facts.dead()


def raise_again(body: Body, node: ast.Raise) -> None:
    """`raise` alone."""
    if not body.handled:
        body.report(node, "raise without an exception, outside of an except", "raise SomeError(...)")
        return
    loc = body.loc(node)
    body.emit(Raise(loc=loc, value=read(loc, body.handled[-1]), again=True))


def raise_new(body: Body, node: ast.Raise, raised: ast.expr) -> None:
    """Make the exception, tell it what it comes from, raise it."""
    error = check_exception(body, raised)
    if error is None:
        return
    cause = None
    if node.cause is not None:
        cause = check_cause(body, node.cause)
        if cause is None:
            return
    if cause is None and not body.handled:
        body.emit(Raise(loc=body.loc(node), value=error))
        return
    loc = body.loc(node)
    kept = body.temporary(".raised", error.type)
    body.emit(Assign(loc=loc, variable=kept, value=error))
    if body.handled:
        write_slot(body, node, kept, "__context__", read(loc, body.handled[-1]))
    if cause is not None:
        write_slot(body, node, kept, "__cause__", cause)
        write_slot(body, node, kept, "__suppress_context__", constant(body.program, loc, True))
    body.emit(Raise(loc=loc, value=read(loc, kept)))


def check_exception(body: Body, node: ast.expr) -> Expression | None:
    """What is raised: an instance, or a class that is made without arguments."""
    symbol = body.symbol_of(node)
    if isinstance(symbol, ClassSymbol):
        node = ast.copy_location(ast.Call(node, [], []), node)
    value = to_value(body, check_expression(body, node), node)
    if is_failed(value) or isinstance(value.type, NeverType):
        return None
    made = to_type(body, value, root_exception(body), node)
    return None if is_failed(made) else made


def check_cause(body: Body, node: ast.expr) -> Expression | None:
    """What stands after `from`: an exception, or None."""
    if isinstance(node, ast.Constant) and node.value is None:
        return constant(body.program, body.loc(node), None)
    return check_exception(body, node)


def write_slot(body: Body, node: ast.AST, error: Variable, name: str, value: Expression) -> None:
    """Set a field of an exception."""
    symbol = body.program.class_symbol(body.program.builtin_class("BaseException"))
    found = find_field(body.program, symbol, name)
    assert found is not None, name
    loc = body.loc(node)
    body.emit(WriteField(loc=loc, subject=read(loc, error), field=found[1], value=value))


def check_try(body: Body, node: ast.Try) -> None:
    """`try`, `except`, `else`, `finally`."""
    before = body.facts
    inner, facts = branch(body, before, node.body)
    after_body = facts
    otherwise, end = branch(body, after_body, node.orelse)
    body.facts = before
    forget_written(body, node.body)
    stopped = body.facts
    handlers: list[Handler] = []
    ends = [end]
    for each in node.handlers:
        handler, end = check_handler(body, each, stopped)
        if handler is not None:
            handlers.append(handler)
        ends.append(end)
    together = join_facts(body.program, *ends)
    final, body.facts = check_final(body, node, before, together)
    body.emit(
        Try(
            loc=body.loc(node),
            body=tuple(inner),
            handlers=tuple(handlers),
            otherwise=tuple(otherwise),
            final=tuple(final),
        )
    )


def check_final(body: Body, node: ast.Try, before: Facts, together: Facts) -> tuple[list[Statement], Facts]:
    """`finally`: it starts from wherever the rest stopped, and what it writes holds afterwards."""
    if not node.finalbody:
        return [], together
    body.facts = before
    forget_written(body, [ast.Try(node.body, node.handlers, node.orelse, [])])
    statements, end = branch(body, body.facts, node.finalbody)
    names = assigned_in(node.finalbody)
    kept = together.without(lambda path: root(path) in names)
    types = {path: each for path, each in end.types.items() if root(path) in names}
    return statements, Facts(
        {**kept.types, **types}, together.assigned | end.assigned, together.live and end.live
    )


def check_handler(body: Body, node: ast.ExceptHandler, facts: Facts) -> tuple[Handler | None, Facts]:
    """One `except`; its name is gone afterwards."""
    body.facts = facts
    classes = handler_classes(body, node)
    if not classes:
        return None, facts.dead()
    type_ = join(body.program, *(ClassType(each) for each in classes))
    caught = body.temporary(".caught", type_)
    body.handled.append(caught)
    with body.collect() as statements:
        if node.name:
            body.assign(node.name, node, read(body.loc(node), caught, type_))
            body.handler_names.append(node.name)
        check_nodes(body, node.body)
    body.handled.pop()
    if node.name:
        body.handler_names.pop()
    if node.name and body.facts.live:
        statements.append(unset(body, node, node.name))
        body.facts = body.facts.unassign(node.name)
    loc = body.loc(node.type or node)
    made = Handler(loc=loc, classes=tuple(classes), variable=caught, body=tuple(statements))
    return made, body.facts


def unset(body: Body, node: ast.AST, name: str) -> Statement:
    """Python deletes the name of a handler at its end."""
    loc = body.loc(node)
    symbol = body.lookup_target(name)
    assert isinstance(symbol, Variable)
    return Assign(loc=loc, variable=symbol, value=Unset(loc=loc, type=NeverType()))


def handler_classes(body: Body, node: ast.ExceptHandler) -> list[Class]:
    """The classes that an `except` names; everything where it names none."""
    root_class = root_exception(body).cls
    if node.type is None:
        return [root_class]
    found = classes_of(body, node.type)
    if found is None:
        body.report(node.type, "except needs the names of classes", "except SomeError, or a tuple of names")
        return []
    for each in found:
        if base_as(body.program, ClassType(each), root_class) is None:
            body.report(node.type, f"{each.name} is no exception", "a class below Exception")
            return []
    return found
