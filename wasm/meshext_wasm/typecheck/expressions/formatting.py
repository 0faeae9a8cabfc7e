"""f-strings, and what `str()`, `repr()` and `format()` make of a value."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Constant, Expression
from meshext_wasm.tree.types import RawType, Type
from meshext_wasm.typecheck.expressions import displays
from meshext_wasm.typecheck.expressions.operators import is_class
from meshext_wasm.typecheck.meanings.dispatch import check_expression, check_value
from meshext_wasm.typecheck.meanings.making import call_known, class_type, constant, failed, is_failed, refuse
from meshext_wasm.typecheck.meanings.symbols import FunctionSymbol

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

CONVERSIONS = {115: "str_of", 114: "repr_of", 97: "ascii_of"}


def build_joined(body: Body, node: ast.expr, _expected: Type | None) -> Expression:
    """An f-string."""
    assert isinstance(node, ast.JoinedStr)
    parts = [build_part(body, each) for each in node.values]
    return join_texts(body, node, parts)


def join_texts(body: Body, node: ast.AST, parts: list[Expression]) -> Expression:
    """Texts, one behind the other."""
    loc = body.loc(node)
    if any(map(is_failed, parts)):
        return failed(loc)
    if not parts:
        return constant(body.program, loc, "")
    if len(parts) == 1:
        return parts[0]
    array = displays.make_array(body, node, parts, class_type(body.program, "str"))
    return call_known(body, loc, "builtins.text.join_array", array)


def build_part(body: Body, node: ast.expr) -> Expression:
    """A literal part, or a value in braces."""
    if not isinstance(node, ast.FormattedValue):
        return check_expression(body, node)
    value = check_expression(body, node.value)
    if is_failed(value):
        return value
    if isinstance(value.type, RawType):
        return refuse(body, node, "a raw number has no text", "int(...) around it")
    value = check_value_of(body, value, node)
    if node.conversion in CONVERSIONS:
        value = text_of(body, node, value, CONVERSIONS[node.conversion])
    spec = check_expression(body, node.format_spec) if node.format_spec is not None else None
    return format_value(body, node, value, spec)


def check_value_of(body: Body, value: Expression, node: ast.AST) -> Expression:
    """As a VALUE."""
    from meshext_wasm.typecheck.meanings.conversions import to_value

    return to_value(body, value, node)


def text_of(body: Body, node: ast.AST, value: Expression, function: str) -> Expression:
    """`str(x)`, `repr(x)`, `ascii(x)`."""
    if function == "ascii_of":
        return ascii_of(body, node, value)
    if function == "str_of" and is_class(body.program, value.type, "str"):
        return value
    return call_known(body, body.loc(node), f"builtins.objects.{function}", value)


def ascii_of(body: Body, node: ast.AST, value: Expression) -> Expression:
    """`ascii(x)`, where the library has it."""
    from meshext_wasm.typecheck.calling import functions
    from meshext_wasm.typecheck.calling.arguments import given_of

    found = body.program.builtins.get("ascii")
    if not isinstance(found, FunctionSymbol):
        return refuse(body, node, "ascii() is not compiled", "repr(...), or {x!r}")
    return functions.call_symbol(body, node, found, given_of(node, [value]))


def format_value(body: Body, node: ast.AST, value: Expression, spec: Expression | None) -> Expression:
    """`format(value, spec)`; without a spec the text of the value."""
    if is_failed(value) or (spec is not None and is_failed(spec)):
        return failed(body.loc(node))
    empty = spec is None or (isinstance(spec, Constant) and spec.value == "")
    if empty and is_class(body.program, value.type, "str", "int", "bool", "float", "bytes", "NoneType"):
        return text_of(body, node, value, "str_of")
    given = constant(body.program, body.loc(node), "") if spec is None else spec
    return call_known(body, body.loc(node), "builtins.objects.format_of", value, given)


def build_text(body: Body, node: ast.Call, _expected: Type | None) -> Expression:
    """`str(x)`, `repr(x)`, `ascii(x)` of one value."""
    assert isinstance(node.func, ast.Name)
    value = check_value(body, node.args[0])
    return value if is_failed(value) else text_of(body, node, value, f"{node.func.id}_of")
