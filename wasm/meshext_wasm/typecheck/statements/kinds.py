"""Statements: which module checks which, and the simple ones."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from meshext_wasm.tree.expressions import Call, Constant, Expression, Unset
from meshext_wasm.tree.program import Global, Variable
from meshext_wasm.tree.statements import Assign, Evaluate, Return
from meshext_wasm.tree.types import ClassType, NeverType, NoneType, ObjectType, Rep, Type
from meshext_wasm.typecheck.calling.methods import WRITING
from meshext_wasm.typecheck.declarations.annotations import to_type as annotated_type
from meshext_wasm.typecheck.meanings.conversions import to_type
from meshext_wasm.typecheck.meanings.dispatch import check_expression
from meshext_wasm.typecheck.meanings.making import constant, is_failed
from meshext_wasm.typecheck.meanings.narrowing import declared_type, path_of
from meshext_wasm.typecheck.meanings.opening import as_lent
from meshext_wasm.typecheck.meanings.unions import display, is_any, is_assignable, is_dynamic
from meshext_wasm.typecheck.statements import contexts, failures, flow, matching, yielding
from meshext_wasm.typecheck.statements.targets import assign_target, delete_target

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

Check = Callable[["Body", Any], None]

REFUSED: dict[type[ast.stmt], tuple[str, str]] = {
    ast.AsyncFor: ("async for needs an event loop", "for over a list"),
    ast.AsyncWith: ("async with needs an event loop", "with"),
    ast.AsyncFunctionDef: (
        "a function inside of a function can not be async",
        "a method, or a plain function",
    ),
    ast.ClassDef: ("a class inside of a function would be made anew at each call", "the class in the module"),
}


def check_block(body: Body, nodes: list[ast.stmt]) -> None:
    """Statements one after the other; those that can not be reached are left out, as nothing runs them."""
    for node in nodes:
        if not body.facts.live:
            return
        check_statement(body, node)


def check_statement(body: Body, node: ast.stmt) -> None:
    """One statement."""
    check = STATEMENTS.get(type(node))
    if check is None:
        reason, hint = REFUSED.get(type(node), (f"{type(node).__name__} is not in the language", ""))
        body.report(node, reason, hint)
        return
    check(body, node)


def check_nothing(body: Body, node: ast.stmt) -> None:
    """`pass`, and what was read before: `global`, `nonlocal`."""


def check_import(body: Body, node: ast.Import | ast.ImportFrom) -> None:
    """An import of a function: its names are bound already, and its module runs at the start."""
    if body.own is None:
        body.report(node, "an import inside of a block", "the import at the top of the module")
        return
    for each in node.names:
        name = each.asname or each.name.partition(".")[0]
        if name in body.own.bound | body.own.globals | body.own.nonlocals:
            body.report(node, f"{name} is a variable of this function too", "another name")


def check_expression_statement(body: Body, node: ast.Expr) -> None:
    """An expression for its effect; a docstring is none."""
    if isinstance(node.value, ast.Constant):
        return
    if isinstance(node.value, ast.Yield):
        yielding.check_yield(body, node.value)
        return
    if isinstance(node.value, ast.YieldFrom):
        yielding.check_yield_from(body, node.value)
        return
    evaluate(body, check_expression(body, node.value))


def evaluate(body: Body, value: Expression) -> None:
    """Run an expression; nothing comes after one that never returns."""
    if is_failed(value):
        return
    body.emit(Evaluate(loc=value.loc, value=value))
    if isinstance(value, Call) and isinstance(value.function.result_type, NeverType):
        body.facts = body.facts.dead()


def check_assign(body: Body, node: ast.Assign) -> None:
    """`a = b = value`: the value once, the targets from the left."""
    expected = target_type(body, node.targets[0])
    value = check_expression(body, node.value, expected or item_hint(body, node.targets[0]))
    if expected is not None and not isinstance(expected, NeverType) and not body.unit.open_fields:
        value = to_type(body, value, expected, node.value)
    if len(node.targets) > 1 and not isinstance(value, Constant):
        kept = body.temporary(".shared", value.type, value.rep)
        body.emit(Assign(loc=value.loc, variable=kept, value=value))
        from meshext_wasm.typecheck.meanings.making import read

        value = read(value.loc, kept)
    for target in node.targets:
        assign_target(body, target, value)


def target_type(body: Body, target: ast.expr) -> Type | None:
    """The declared type of what is written to, where there is one: it tells what a display holds."""
    path = path_of(target)
    if path is None:
        return None
    if isinstance(target, ast.Name):
        symbol = body.lookup_target(target.id)
        if isinstance(symbol, Variable):
            return body.declared(symbol)
        return symbol.type if isinstance(symbol, Global) and symbol not in body.inferred else None
    return declared_type(body, path)


def item_hint(body: Body, target: ast.expr) -> Type | None:
    """Any, where an item is written of something that holds anything."""
    if not isinstance(target, ast.Subscript):
        return None
    while isinstance(target, ast.Subscript):
        target = target.value
    path = path_of(target)
    known = body.path_type(path) if path is not None else None
    holds = known.arguments[-1] if isinstance(known, ClassType) and known.arguments else known
    return ObjectType(unknown=True) if holds is not None and is_dynamic(holds) else None


def check_annotated(body: Body, node: ast.AnnAssign) -> None:
    """`name: type = value`; without a value only the type is told."""
    if isinstance(node.target, ast.Name) and body.own is not None:
        variable = body.variable(node.target.id)
        body.rounds.declared[variable] = variable.type = annotated_type(body, node.annotation)
    if node.value is None:
        return
    expected = target_type(body, node.target)
    value = check_expression(body, node.value, expected)
    if isinstance(node.target, ast.Name) and body.own is not None and is_any(value.type):
        variable = body.variable(node.target.id)
        if not is_filled(body.own.node, node.target.id):
            variable.type = as_lent(variable.type)
        expected = body.rounds.declared[variable] = variable.type
    if expected is not None and not body.unit.open_fields:
        value = to_type(body, value, expected, node.value)
    assign_target(body, node.target, value)


def is_filled(function: ast.AST, name: str) -> bool:
    """Whether a function puts something into what it calls so."""

    def holds(node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id == name

    for each in ast.walk(function):
        match each:
            case ast.Subscript(value=value, ctx=ast.Store()) if holds(value):
                return True
            case ast.Attribute(value=value, attr=attribute) if holds(value) and attribute in WRITING:
                return True
    return False


def check_delete(body: Body, node: ast.Delete) -> None:
    """`del name`, `del a[i]`, `del a.b`."""
    for target in node.targets:
        if isinstance(target, ast.Name):
            delete_name(body, target)
        elif isinstance(target, ast.Tuple | ast.List):
            check_delete(body, ast.copy_location(ast.Delete(targets=target.elts), node))
        else:
            delete_target(body, target)


def delete_name(body: Body, target: ast.Name) -> None:
    """`del name` of a local variable: reading it then raises UnboundLocalError."""
    symbol = body.lookup_target(target.id)
    if not isinstance(symbol, Variable):
        body.report(target, "del of a module's name", "give it None, and test for that")
        return
    if target.id not in body.facts.assigned:
        body.lookup(target.id)
        evaluate(body, check_expression(body, ast.copy_location(ast.Name(target.id, ast.Load()), target)))
    loc = body.loc(target)
    body.emit(Assign(loc=loc, variable=symbol, value=Unset(loc=loc, type=NeverType())))
    symbol.checked = True
    body.facts = body.facts.unassign(target.id)


def check_return(body: Body, node: ast.Return) -> None:
    """`return value`."""
    if body.own is None:
        body.report(node, "return outside of a function")
        return
    if body.yields:
        yielding.check_return(body, node)
        return
    loc = body.loc(node)
    if body.function.result is Rep.NOTHING:
        if node.value is not None:
            evaluate(body, check_expression(body, node.value))
        body.emit(Return(loc=loc, value=None))
    else:
        value = (
            check_expression(body, node.value, body.result)
            if node.value is not None
            else constant(body.program, loc, None)
        )
        give(body, value, node.value or node)
    body.facts = body.facts.dead()


def give(body: Body, value: Expression, node: ast.AST) -> None:
    """Leave the function with a value, which must fit what it says it gives."""
    if body.result is not None:
        value = to_type(body, value, body.result, node)
    else:
        from meshext_wasm.typecheck.meanings.conversions import to_value
        from meshext_wasm.typecheck.meanings.unions import join

        value = to_value(body, value, node)
        body.given = join(body.program, body.given, value.type)
    body.emit(Return(loc=value.loc, value=value))


def check_end(body: Body, node: ast.AST) -> None:
    """The end of a function: None, where its annotation allows that."""
    if not body.facts.live:
        return
    loc = body.loc(node)
    if body.yields:
        yielding.give_end(body, node)
    elif body.function.result is Rep.NOTHING:
        body.emit(Return(loc=loc, value=None))
    elif body.result is None or is_assignable(body.program, NoneType(), body.result):
        give(body, constant(body.program, loc, None), node)
    else:
        wanted = display(body.result)
        reason = f"the end is reached without a return, but the result is annotated {wanted}"
        place = getattr(node, "returns", None) or node
        body.report(place, reason, f"return a {wanted} on every way, raise, or annotate `{wanted} | None`")


def check_inner_function(body: Body, node: ast.FunctionDef) -> None:
    """A function inside of a function: a variable that holds a function value."""
    if node.decorator_list:
        body.report(
            node.decorator_list[0], "a decorator on an inner function", "call the decorator's function"
        )
    body.assign(node.name, node, body.check_function(node, None))


STATEMENTS: dict[type[ast.stmt], Check] = {
    ast.Expr: check_expression_statement,
    ast.Assign: check_assign,
    ast.AnnAssign: check_annotated,
    ast.AugAssign: flow.check_augmented,
    ast.Delete: check_delete,
    ast.Return: check_return,
    ast.FunctionDef: check_inner_function,
    ast.Pass: check_nothing,
    ast.Import: check_import,
    ast.ImportFrom: check_import,
    ast.Global: check_nothing,
    ast.Nonlocal: check_nothing,
    ast.If: flow.check_if,
    ast.While: flow.check_while,
    ast.For: flow.check_for,
    ast.Break: flow.check_break,
    ast.Continue: flow.check_continue,
    ast.Assert: flow.check_assert,
    ast.Raise: failures.check_raise,
    ast.Try: failures.check_try,
    ast.With: contexts.check_with,
    ast.Match: matching.check_match,
}
