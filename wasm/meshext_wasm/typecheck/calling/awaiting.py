"""`await`: of an async function of the program or of the library, which answers at once.

Nothing that is compiled waits: what an async function awaits is async functions again, down to the store's.
So one is called like any other, and `await f(...)` is the call. That holds only where call and `await` are
one expression: a coroutine as a value, to be awaited later or by several, is refused.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.types import Type
from meshext_wasm.typecheck.meanings.dispatch import check_expression
from meshext_wasm.typecheck.meanings.making import is_failed, refuse
from meshext_wasm.typecheck.meanings.symbols import FunctionSymbol

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body


def build_await(body: Body, node: ast.expr, expected: Type | None) -> Expression:
    """`await callee(arguments)`."""
    assert isinstance(node, ast.Await)
    call = node.value
    if not body.waits:
        return refuse(body, node, "await outside of an async function", "async def for the function")
    if not isinstance(call, ast.Call):
        return refuse(body, node, "await of something that is no call", "await f(...)")
    outer, body.awaited, body.has_waited = body.awaited, call, False
    made = check_expression(body, call, expected)
    waited = body.has_waited
    body.awaited, body.has_waited = outer, False
    if not waited and not is_failed(made):
        return refuse(body, node, "what is called here is not async", "the call without await")
    return made


def check_call(body: Body, node: ast.AST, symbol: FunctionSymbol) -> bool:
    """Whether a call of this function may stand where it stands; if not, that is reported.

    `node` is the call, or what is called in it. The library may call async functions as they are.
    """
    call = body.awaited
    is_awaited = call is not None and node in (call, call.func)
    if is_awaited and symbol.waits:
        body.has_waited = True
    if symbol.waits and not is_awaited and not body.source.library:
        reason = f"{symbol.name}() is async, and nobody awaits it here"
        refuse(body, node, reason, f"await {symbol.name}(...)")
        return False
    return True
