"""Names that statements bind, without looking into functions and classes inside of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
COMPREHENSION = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def children(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a node that run in the same function: of an inner function its defaults and decorators,
    of a class its bases and decorators (the body of a local class is refused elsewhere)."""
    if isinstance(node, ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef):
        yield from getattr(node, "decorator_list", [])
        yield from node.args.defaults
        yield from (each for each in node.args.kw_defaults if each is not None)
    elif isinstance(node, ast.ClassDef):
        yield from node.decorator_list
        yield from node.bases
    else:
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                yield from (each for each in value if isinstance(each, ast.AST))
            elif isinstance(value, ast.AST):
                yield value


@lru_cache(maxsize=1 << 16)
def inside(node: ast.AST) -> tuple[ast.AST, ...]:
    """A node and everything in it that runs in the same function."""
    found: list[ast.AST] = []
    waiting = [node]
    while waiting:
        each = waiting.pop()
        found.append(each)
        waiting.extend(reversed([*children(each)]))
    return tuple(found)


def bound_names(node: ast.AST) -> Iterator[str]:
    """Names that a node itself binds, or deletes, in its function."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name


def assigned_in(nodes: list[ast.stmt]) -> frozenset[str]:
    """Names that statements may bind, comprehensions' own variables left out."""
    return frozenset(name for node in nodes for name in names_in(node))


@lru_cache(maxsize=1 << 16)
def names_in(node: ast.AST) -> frozenset[str]:
    """The same for one node."""
    return frozenset(assigned(node))


def assigned(node: ast.AST) -> Iterator[str]:
    """Names that a node and its parts bind in their function."""
    if isinstance(node, COMPREHENSION):
        for inner in inside(node):
            if isinstance(inner, ast.NamedExpr):
                yield inner.target.id
        return
    yield from bound_names(node)
    for child in children(node):
        yield from assigned(child)


def attributes_in(nodes: list[ast.stmt]) -> frozenset[str]:
    """Names of attributes that statements write or delete."""
    return frozenset(
        each.attr
        for node in nodes
        for each in inside(node)
        if isinstance(each, ast.Attribute) and not isinstance(each.ctx, ast.Load)
    )
