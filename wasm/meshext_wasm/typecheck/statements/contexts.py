"""`with`: written in terms of try, as the language reference does."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.types import NeverType
from meshext_wasm.typecheck.meanings.dispatch import check_expression
from meshext_wasm.typecheck.meanings.making import is_failed
from meshext_wasm.typecheck.meanings.symbols import find_member
from meshext_wasm.typecheck.meanings.synthesis import write_code
from meshext_wasm.typecheck.meanings.unions import class_view, display
from meshext_wasm.typecheck.statements.flow import check_nodes

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

AROUND = """
try:
    pass
except BUILTINS.BaseException as ERROR:
    FAILED = True
    if not MANAGER.__exit__(BUILTINS.type(ERROR), ERROR, None):
        raise
finally:
    if not FAILED:
        MANAGER.__exit__(None, None, None)
"""
HIDDEN = ("MANAGER", "FAILED", "ERROR")


def check_with(body: Body, node: ast.With) -> None:
    """One context manager after the other, each inside of the one before it."""
    item, *rest = node.items
    inner = node.body
    if rest:
        inner = [ast.copy_location(ast.With(rest, node.body), node)]
    names = {f"{name}": body.temporary(f".{name.lower()}", NeverType()) for name in HIDDEN}
    place = item.context_expr
    manager = check_expression(body, place)
    if not is_manager(body, manager):
        if not is_failed(manager):
            reason = f"{display(manager.type)} is no context manager"
            body.report(place, reason, "a class with __enter__ and __exit__")
        return
    with body.scope(names):
        body.assign_name(hidden("MANAGER", place, ast.Store()), manager)
        attribute = ast.Attribute(hidden("MANAGER", place, ast.Load()), "__enter__", ast.Load())
        entered = ast.Call(ast.copy_location(attribute, place), [], [])
        check_nodes(body, enter(item, ast.copy_location(entered, place)))
        false = ast.copy_location(ast.Constant(value=False), place)
        body.assign_name(hidden("FAILED", place, ast.Store()), check_expression(body, false))
        around = write_code(AROUND, place)
        assert isinstance(around, ast.Try)
        around.body = inner
        check_nodes(body, [around])


def is_manager(body: Body, value: Expression) -> bool:
    """Whether a value has what `with` calls."""
    view = class_view(body.program, value.type)
    symbol = body.program.class_symbol(view.cls) if view is not None else None
    return symbol is not None and all(
        find_member(body.program, symbol, each) is not None for each in ("__enter__", "__exit__")
    )


def hidden(name: str, place: ast.AST, ctx: ast.expr_context) -> ast.Name:
    """One of the variables that the program can not name."""
    return ast.copy_location(ast.Name(name, ctx), place)


def enter(item: ast.withitem, entered: ast.expr) -> list[ast.stmt]:
    """`__enter__`, and the variable that gets what it gives."""
    if item.optional_vars is None:
        return [ast.copy_location(ast.Expr(entered), entered)]
    return [ast.copy_location(ast.Assign([item.optional_vars], entered), entered)]
