"""Which module builds which kind of expression."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Constant, Expression
from meshext_wasm.tree.types import RawType, Type
from meshext_wasm.typecheck.calling import awaiting, calls
from meshext_wasm.typecheck.expressions import (
    comparisons,
    comprehensions,
    displays,
    formatting,
    names,
    operators,
    subscripts,
    truth,
)
from meshext_wasm.typecheck.meanings.conversions import fits_literal, raw_literal
from meshext_wasm.typecheck.meanings.making import constant, refuse

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

Builder = Callable[["Body", ast.expr, Type | None], Expression]

REFUSED: dict[type[ast.expr], tuple[str, str]] = {
    ast.Yield: (
        "nothing is sent to a generator, so a yield gives no value",
        "yield as a statement of its own",
    ),
    ast.YieldFrom: ("a generator gives nothing at its end", "yield from as a statement of its own"),
    ast.Starred: ("a * is only possible in calls, displays and targets", "the items one by one"),
}


def build_constant(body: Body, node: ast.expr, expected: Type | None) -> Expression:
    """A literal: raw where a raw number is wanted, of a Literal type where that is."""
    assert isinstance(node, ast.Constant)
    value = node.value
    if value is Ellipsis or isinstance(value, complex):
        return refuse(body, node, f"{value!r} is not in the language", "a number or None")
    made = constant(body.program, body.loc(node), value)
    if isinstance(expected, RawType) and isinstance(value, int | float) and not isinstance(value, bool):
        return raw_literal(made, expected)
    if expected is not None and fits_literal(made, expected):
        return replace(made, type=literal_in(made, expected))
    return made


def literal_in(made: Constant, expected: Type) -> Type:
    """The literal type of a union that this constant is."""
    from meshext_wasm.tree.types import LiteralType
    from meshext_wasm.typecheck.meanings.unions import members_of

    for each in members_of(expected):
        if isinstance(each, LiteralType) and each.value == made.value:
            return each
    return made.type


def build_ready(body: Body, node: ast.expr, _expected: Type | None) -> Expression:
    """A node of synthesised code, which builds itself."""
    build = getattr(node, "build", None)
    if build is not None:
        made = build(body)
        assert isinstance(made, Expression)
        return made
    kind = type(node)
    reason, hint = REFUSED.get(kind, (f"{kind.__name__} is not in the language", "it in other words"))
    return refuse(body, node, reason, hint)


BUILDERS: dict[type[ast.expr], Builder] = {
    ast.Constant: build_constant,
    ast.Name: names.build_name,
    ast.Attribute: names.build_attribute,
    ast.BinOp: operators.build_binary,
    ast.UnaryOp: operators.build_unary,
    ast.BoolOp: truth.build_bool_op,
    ast.IfExp: truth.build_if,
    ast.NamedExpr: names.build_walrus,
    ast.Compare: comparisons.build_compare,
    ast.Call: calls.build_call,
    ast.Subscript: subscripts.build_subscript,
    ast.JoinedStr: formatting.build_joined,
    ast.List: displays.build_list,
    ast.Tuple: displays.build_tuple,
    ast.Set: displays.build_set,
    ast.Dict: displays.build_dict,
    ast.ListComp: comprehensions.build_list_comp,
    ast.SetComp: comprehensions.build_set_comp,
    ast.DictComp: comprehensions.build_dict_comp,
    ast.GeneratorExp: comprehensions.build_generator,
    ast.Lambda: names.build_lambda,
    ast.Await: awaiting.build_await,
}


def build_expression(body: Body, node: ast.expr, expected: Type | None) -> Expression:
    """The tree of an expression."""
    return BUILDERS.get(type(node), build_ready)(body, node, expected)
