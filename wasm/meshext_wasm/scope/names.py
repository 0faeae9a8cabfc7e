"""Names that statements bind, without looking into functions and classes inside of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
COMPREHENSION = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


OWN_SCOPE = (ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef)
NO_NODES = frozenset({"arg", "attr", "ctx", "id", "kind", "type_comment"})
"""Fields that hold texts, or say no more than their type, which is half of what there is in a tree."""


FIELDS: dict[type[ast.AST], tuple[str, ...]] = {ast.Constant: ()}
"""Those of each kind of node that was met that may hold nodes; a literal is none."""


def children(node: ast.AST) -> list[ast.AST]:
    """The parts of a node that run in the same function: of an inner function its defaults and decorators,
    of a class its bases and decorators (the body of a local class is refused elsewhere)."""
    if isinstance(node, OWN_SCOPE):
        defaults = [*node.args.defaults, *(each for each in node.args.kw_defaults if each is not None)]
        return [*getattr(node, "decorator_list", []), *defaults]
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases]
    return parts_of(node)


def parts_of(node: ast.AST) -> list[ast.AST]:
    """The nodes that a node consists of, its context left out."""
    found: list[ast.AST] = []
    kind = type(node)
    for name in FIELDS[kind] if kind in FIELDS else fields_of(kind):
        value = getattr(node, name, None)
        if isinstance(value, list):
            found += [each for each in value if isinstance(each, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def fields_of(kind: type[ast.AST]) -> tuple[str, ...]:
    """The fields of a kind of node that may hold nodes."""
    if kind not in FIELDS:
        FIELDS[kind] = tuple(each for each in kind._fields if each not in NO_NODES)
    return FIELDS[kind]


def walk(node: ast.AST) -> list[ast.AST]:
    """A node and everything in it, as `ast.walk` has it but for contexts."""
    found = [node]
    for each in found:  # which gets longer meanwhile
        found += parts_of(each)
    return found


@lru_cache(maxsize=1 << 16)
def inside(node: ast.AST) -> tuple[ast.AST, ...]:
    """A node and everything in it that runs in the same function."""
    found: list[ast.AST] = []
    waiting = [node]
    while waiting:
        each = waiting.pop()
        found.append(each)
        waiting += children(each)[::-1]
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
