"""The scopes of functions: what is local, what is shared with inner functions, what is the module's."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from meshext_wasm.scope.names import Function, assigned, children, inside


@dataclass(slots=True, eq=False)
class Scope:
    """One function. `bound`: its parameters and what it assigns; `cells`: those that inner functions use;
    `captured`: names of enclosing functions that it or its inner functions use; `rebound`: its variables that
    inner functions assign; `once`: names bound in exactly one place that is not in a loop."""

    node: Function
    parent: Scope | None
    bound: set[str] = field(default_factory=set)
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)
    cells: set[str] = field(default_factory=set)
    captured: set[str] = field(default_factory=set)
    rebound: set[str] = field(default_factory=set)
    once: set[str] = field(default_factory=set)


def parameters(node: Function) -> list[str]:
    """The names of all parameters."""
    args = node.args
    every = [*args.posonlyargs, *args.args, *args.kwonlyargs]
    return [each.arg for each in [*every, *(each for each in (args.vararg, args.kwarg) if each)]]


def statements(node: Function) -> list[ast.AST]:
    """The body, a lambda's as well."""
    return [node.body] if isinstance(node, ast.Lambda) else list(node.body)


def build_scopes(node: Function, parent: Scope | None = None) -> dict[ast.AST, Scope]:
    """The scope of a function and of every function inside of it."""
    scope = Scope(node, parent)
    body = statements(node)
    for each in (part for top in body for part in inside(top)):
        if isinstance(each, ast.Global):
            scope.globals.update(each.names)
        elif isinstance(each, ast.Nonlocal):
            scope.nonlocals.update(each.names)
    names = list(counted(body))
    outer = scope.globals | scope.nonlocals
    scope.bound = (set(parameters(node)) | {name for name, _ in names}) - outer
    counts = dict.fromkeys(scope.bound, 0)
    for name, weight in names:
        if name in counts:
            counts[name] += weight
    own = set(parameters(node))
    scope.once = {name for name, count in counts.items() if count + (name in own) == 1}
    scopes: dict[ast.AST, Scope] = {node: scope}
    for each in (part for top in body for part in inside(top)):
        if isinstance(each, Function):
            scopes |= build_scopes(each, scope)
    resolve(scope, body)
    return scopes


def counted(body: list[ast.AST], weight: int = 1) -> Iterator[tuple[str, int]]:
    """Every binding of a name; one in a loop counts as two."""
    for node in body:
        if isinstance(node, ast.For | ast.While | ast.AsyncFor):
            yield from ((name, 2) for name in assigned(node))
        elif isinstance(node, ast.stmt) and hasattr(node, "body") and not isinstance(node, ast.ClassDef):
            yield from counted_block(node, weight)
        else:
            yield from ((name, weight) for name in assigned(node))


def counted_block(node: ast.stmt, weight: int) -> Iterator[tuple[str, int]]:
    """Bindings of a statement that has statements in it."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield node.name, weight
    for child in children(node):
        if isinstance(child, ast.ExceptHandler | ast.match_case):
            yield from ((name, weight) for part in ast.iter_child_nodes(child) for name in assigned(part))
            if isinstance(child, ast.ExceptHandler) and child.name:
                yield child.name, weight
        else:
            yield from counted([child], weight)


def used(body: list[ast.AST]) -> set[str]:
    """Names that statements read or write, those of inner functions left out."""
    return {each.id for top in body for each in inside(top) if isinstance(each, ast.Name)} | {
        name for top in body for each in inside(top) if isinstance(each, ast.Nonlocal) for name in each.names
    }


def resolve(scope: Scope, body: list[ast.AST]) -> None:
    """Find the owners of the names that a function takes from enclosing functions."""
    for name in used(body) - scope.bound - scope.globals:
        owner, between = scope.parent, [scope]
        while owner is not None and name not in owner.bound:
            between.append(owner)
            owner = owner.parent
        if owner is None:
            continue
        owner.cells.add(name)
        if name in scope.nonlocals:
            owner.rebound.add(name)
        for each in between:
            each.captured.add(name)
