"""`with`: written in terms of try, as the language reference does."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.types import NeverType
from meshext_wasm.typecheck.dispatch import check_expression
from meshext_wasm.typecheck.flow import check_nodes

if TYPE_CHECKING:
    from meshext_wasm.typecheck.body import Body

AROUND = """
try:
    pass
except builtins.BaseException as error:
    failed = True
    if not manager.__exit__(builtins.type(error), error, None):
        raise
finally:
    if not failed:
        manager.__exit__(None, None, None)
"""
HIDDEN = ("manager", "failed", "error")


class Hide(ast.NodeTransformer):
    """Names that no program can spell, all at the place of the `with`."""

    def __init__(self, place: ast.AST, level: int) -> None:
        self.place = place
        self.level = level

    def hidden(self, name: str) -> str:
        """A name of this `with`."""
        return f"<{name} {self.level}>"

    def visit_Name(self, node: ast.Name) -> ast.Name:
        """One of the hidden variables."""
        return ast.copy_location(ast.Name(self.hidden(node.id), node.ctx), self.place)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """`builtins.x` is what `x` means where nobody hides it."""
        if isinstance(node.value, ast.Name) and node.value.id == "builtins":
            return ast.copy_location(ast.Name(f"builtins:{node.attr}", node.ctx), self.place)
        return self.generic_visit(node)  # type: ignore[return-value]

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        """The name of the exception."""
        node.name = self.hidden(node.name or "")
        return self.generic_visit(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Every part gets the place."""
        super().generic_visit(node)
        return ast.copy_location(node, self.place)


def check_with(body: Body, node: ast.With) -> None:
    """One context manager after the other, each inside of the one before it."""
    item, *rest = node.items
    inner = node.body
    if rest:
        inner = [ast.copy_location(ast.With(rest, node.body), node)]
    hide = Hide(item.context_expr, len(body.frames))
    names = {hide.hidden(name): body.temporary(f".{name}", NeverType()) for name in HIDDEN}
    with body.scope(names):
        place = item.context_expr

        def name(text: str, ctx: ast.expr_context) -> ast.Name:
            return ast.copy_location(ast.Name(hide.hidden(text), ctx), place)

        body.assign_name(name("manager", ast.Store()), check_expression(body, place))
        attribute = ast.Attribute(name("manager", ast.Load()), "__enter__", ast.Load())
        entered = ast.Call(ast.copy_location(attribute, place), [], [])
        check_nodes(body, enter(item, ast.copy_location(entered, place)))
        false = ast.copy_location(ast.Constant(value=False), place)
        body.assign_name(name("failed", ast.Store()), check_expression(body, false))
        body.facts = body.facts.without(lambda path: path == hide.hidden("failed"))
        around = hide.visit(ast.parse(AROUND).body[0])
        around.body = inner
        check_nodes(body, [around])


def enter(item: ast.withitem, entered: ast.expr) -> list[ast.stmt]:
    """`__enter__`, and the variable that gets what it gives."""
    if item.optional_vars is None:
        return [ast.copy_location(ast.Expr(entered), entered)]
    return [ast.copy_location(ast.Assign([item.optional_vars], entered), entered)]
