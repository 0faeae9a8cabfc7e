"""The smallest program that still differs: statements and expressions are taken out as long as it does."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

from tests.wasm.differential.running import run_sources

AT_ONCE = 40
"""Candidates that become one module."""
LITERALS = (0, "", True, None, 1.5, b"")
Differs = Callable[[list[str]], list[bool]]
Change = Callable[[list[ast.stmt]], None]


def shrink(source: str, arguments: list[Any]) -> str:
    """A program without what the difference does not need; `arguments` are one set that shows it."""
    return minimise(source, lambda candidates: differing(candidates, arguments))


def differing(candidates: list[str], arguments: list[Any]) -> list[bool]:
    """Which candidates still differ."""
    renamed = [re.sub(r"def p\d+\(", f"def p{index}(", each) for index, each in enumerate(candidates)]
    tally = run_sources(renamed, [[arguments]] * len(renamed))
    bad = {each.source for each in tally.differences} | {source for source, _ in tally.broken}
    return [each in bad for each in renamed]


def minimise(source: str, differs: Differs) -> str:
    """Take away as long as something can be taken away."""
    current, tried = ast.unparse(ast.parse(source)), set[str]()
    while True:
        fresh = sorted({each for each in smaller(current) if each not in tried}, key=len)
        for start in range(0, len(fresh), AT_ONCE):
            batch = fresh[start : start + AT_ONCE]
            tried |= set(batch)
            found = next((each for each, bad in zip(batch, differs(batch), strict=True) if bad), None)
            if found is not None:
                current = found
                break
        else:
            return current


def smaller(source: str) -> Iterator[str]:
    """Every program with one thing less, that is still Python."""
    tree = ast.parse(source)
    for made in reductions(tree):
        try:
            text = ast.unparse(ast.fix_missing_locations(made))
            compile(text, "program.py", "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            continue
        if len(text) < len(source):
            yield text


def reductions(tree: ast.Module) -> Iterator[ast.Module]:
    """Copies of a tree with a statement or an expression less."""
    for path, node in places(tree):
        if isinstance(node, list):
            for number, statement in enumerate(node):
                yield changed(tree, path, without(number, number + 1))
                if len(node) > 3:
                    yield changed(tree, path, without(number, number + 3))
                if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
                    yield changed(tree, path, spliced(number, [ast.Expr(statement.value)]))
                for inner in blocks_of(statement):
                    yield changed(tree, path, spliced(number, inner))
        elif isinstance(node, ast.expr):
            for new in simpler(node):
                yield replaced(tree, path, new)


Path = tuple[str | int, ...]


def places(node: ast.AST, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Blocks of statements and expressions that are read, with the way to each."""
    for name, value in ast.iter_fields(node):
        here = (*path, name)
        if isinstance(value, list):
            if value and isinstance(value[0], ast.stmt) and not isinstance(node, ast.Module):
                yield here, value
            for number, each in enumerate(value):
                if isinstance(each, ast.AST):
                    if isinstance(each, ast.expr) and not is_target(each):
                        yield (*here, number), each
                    yield from places(each, (*here, number))
        elif isinstance(value, ast.AST) and name not in ("annotation", "returns"):
            if isinstance(value, ast.expr) and not is_target(value):
                yield here, value
            yield from places(value, here)


def is_target(node: ast.expr) -> bool:
    """Whether an expression is written to."""
    return isinstance(getattr(node, "ctx", ast.Load()), ast.Store | ast.Del)


def at(tree: ast.AST, path: Path) -> Any:
    """What a way leads to."""
    found: Any = tree
    for step in path:
        found = found[step] if isinstance(step, int) else getattr(found, step)
    return found


def changed(tree: ast.Module, path: Path, change: Change) -> ast.Module:
    """A copy in which a block was changed; an empty one says `pass`."""
    made = copy.deepcopy(tree)
    block = at(made, path)
    change(block)
    if not block and path[-1] == "body":
        block.append(ast.Pass())
    return made


def replaced(tree: ast.Module, path: Path, new: ast.expr) -> ast.Module:
    """A copy with another expression in a place."""
    made = copy.deepcopy(tree)
    *way, last = path
    owner = at(made, tuple(way))
    if isinstance(last, int):
        owner[last] = copy.deepcopy(new)
    else:
        setattr(owner, last, copy.deepcopy(new))
    return made


def blocks_of(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The blocks in a statement, which may stand for the whole."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(statement, name, None)
        if block and not isinstance(statement, ast.FunctionDef):
            yield block
    for each in [*getattr(statement, "handlers", []), *getattr(statement, "cases", [])]:
        yield each.body


def without(first: int, end: int) -> Change:
    """Take statements out of a block."""

    def change(block: list[ast.stmt]) -> None:
        del block[first:end]

    return change


def spliced(number: int, inner: list[ast.stmt]) -> Change:
    """Put the statements of an inner block where its statement was."""

    def change(block: list[ast.stmt]) -> None:
        block[number : number + 1] = copy.deepcopy(inner)

    return change


def simpler(node: ast.expr) -> Iterator[ast.expr]:
    """What may stand for an expression: a part of it, fewer items, a literal."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr) and not is_target(child):
            yield child
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        for number in range(len(node.elts)):
            shorter = copy.copy(node)
            shorter.elts = [*node.elts[:number], *node.elts[number + 1 :]]
            yield shorter
    if isinstance(node, ast.Call):
        for number in range(len(node.args)):
            yield ast.Call(node.func, [*node.args[:number], *node.args[number + 1 :]], node.keywords)
    if not isinstance(node, ast.Constant | ast.Name):
        yield from (ast.Constant(value) for value in LITERALS)
