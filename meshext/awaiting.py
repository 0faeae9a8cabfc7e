"""Find calls of the store that nobody awaits: they would do nothing, and a limit would silently be off."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any, TypeGuard

from meshext.errors import SpecError


def check_awaited(owner: str, method: Callable[..., Any]) -> None:
    """Raise SpecError for a `self.store` call that is not awaited, as far as the source can be read.

    In a plain method none can be; in an async one a call that stands alone is not.
    """
    tree = parse_source(method)
    if tree is None:
        return
    lost = calls_standing_alone(tree) if isinstance(tree, ast.AsyncFunctionDef) else calls_in(tree)
    for call in lost:
        name = ast.unparse(call.func)
        line = method.__code__.co_firstlineno + call.lineno - 1
        raise SpecError(
            f"{owner}.{method.__name__}, line {line}: {name}(...) is not awaited and would do nothing; "
            f"write async def {method.__name__} and await {name}(...)"
        )


def parse_source(method: Callable[..., Any]) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The method's syntax tree; None where there is no source to read."""
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(method))).body
    except (OSError, TypeError, SyntaxError):
        return None
    first = body[0] if body else None
    return first if isinstance(first, ast.FunctionDef | ast.AsyncFunctionDef) else None


def calls_in(tree: ast.AST) -> Iterator[ast.Call]:
    """Store calls in plain code; what is inside an async function of its own may be awaited there."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.AsyncFunctionDef):
            continue
        if is_store_call(node):
            yield node
        yield from calls_in(node)


def calls_standing_alone(tree: ast.AST) -> Iterator[ast.Call]:
    """Store calls whose result goes nowhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and is_store_call(node.value):
            yield node.value


def is_store_call(node: ast.AST) -> TypeGuard[ast.Call]:
    """Whether a node is `self.store.something(...)`."""
    return isinstance(node, ast.Call) and ast.unparse(node.func).startswith("self.store.")
