"""The two ways into the check of expressions, for every module that has expressions inside its own."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.types import Type

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body


def check_expression(body: Body, node: ast.expr, expected: Type | None = None) -> Expression:
    """The tree of an expression, in whatever rep suits it.

    `expected` helps where an expression does not say its type itself (literals of containers, lambdas, raw
    numbers); whether the result fits is for `conversions.to_type`.
    """
    from meshext_wasm.typecheck.expressions.kinds import build_expression

    return build_expression(body, node, expected)


def check_condition(body: Body, node: ast.expr) -> Expression:
    """The truth of an expression, as BOOL."""
    from meshext_wasm.typecheck.expressions.truth import build_condition

    return build_condition(body, node)


def check_value(body: Body, node: ast.expr, expected: Type | None = None) -> Expression:
    """The same as a VALUE, for what takes any Python value."""
    from meshext_wasm.typecheck.meanings.conversions import to_value

    return to_value(body, check_expression(body, node, expected), node)
