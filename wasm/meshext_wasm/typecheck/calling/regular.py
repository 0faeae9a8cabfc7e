"""`re.findall` and `re.split` of a pattern that is written out: its groups tell what the items are."""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.types import TupleType, Type
from meshext_wasm.typecheck.calling import functions
from meshext_wasm.typecheck.calling.arguments import given_of_call
from meshext_wasm.typecheck.expressions.names import resolve
from meshext_wasm.typecheck.meanings.making import class_type, is_failed, narrow
from meshext_wasm.typecheck.meanings.symbols import FunctionSymbol

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body


def build_items(body: Body, node: ast.Call, _expected: Type | None) -> Expression:
    """The call, and the type of its items where the pattern tells it."""
    symbol = resolve(body, node.func)
    assert isinstance(symbol, FunctionSymbol)
    made = functions.call_symbol(body, node, symbol, given_of_call(body, node))
    found = pattern_of(node)
    if is_failed(made) or found is None:
        return made
    text: Type = class_type(body.program, "str" if isinstance(found.pattern, str) else "bytes")
    if symbol.name == "split":
        return narrow(made, class_type(body.program, "list", text)) if found.groups == 0 else made
    item = text if found.groups < 2 else TupleType((text,) * found.groups)
    return narrow(made, class_type(body.program, "list", item))


def pattern_of(node: ast.Call) -> re.Pattern[str] | re.Pattern[bytes] | None:
    """The pattern, where it is written out and no flag changes how it is read."""
    first = node.args[0] if node.args else None
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str | bytes):
        return None
    if len(node.args) > 3 or any(each.arg == "flags" for each in node.keywords):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(first.value)
    except (re.error, RecursionError, OverflowError):
        return None
