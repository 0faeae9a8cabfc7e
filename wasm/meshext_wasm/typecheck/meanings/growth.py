"""Empty displays: `[]` gets the type of its items from what is put into it later in the same function."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression, Local, Narrow
from meshext_wasm.tree.program import Variable
from meshext_wasm.tree.types import ClassType, Type
from meshext_wasm.typecheck.meanings.unions import members_of

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body


def mark(body: Body, expression: Expression, node: ast.AST) -> Expression:
    """This expression is what an empty display made."""
    body.rounds.empties[expression] = node
    return expression


def note(body: Body, variable: Variable, value: Expression) -> None:
    """A variable gets a value: what is put into one is put into the other."""
    found = origins(body, value)
    if found:
        known = body.rounds.origins.setdefault(variable, [])
        known.extend(each for each in found if each not in known)


def origins(body: Body, expression: Expression) -> list[ast.AST]:
    """The empty displays that a value may come from."""
    while isinstance(expression, Narrow) and expression not in body.rounds.empties:
        expression = expression.subject
    if isinstance(expression, Local):
        return body.rounds.origins.get(expression.variable, [])
    node = body.rounds.empties.get(expression)
    return [] if node is None else [node]


def grow_all(body: Body, nodes: list[ast.AST], types: tuple[Type, ...]) -> None:
    """Something of these types is put in."""
    for node in nodes:
        if slots_of(node) == len(types):
            body.grow(node, *types)


def slots_of(node: ast.AST) -> int:
    """How many types the container has that a node makes: two for a dict."""
    called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
    return 2 if isinstance(node, ast.Dict) or called == "dict" else 1


def grow_to(body: Body, expression: Expression, wanted: Type) -> None:
    """It stands where a type is wanted: its items are of that type."""
    nodes = origins(body, expression)
    if not nodes or not isinstance(expression.type, ClassType):
        return
    for each in members_of(wanted):
        if isinstance(each, ClassType) and each.cls is expression.type.cls:
            grow_all(body, nodes, each.arguments)
