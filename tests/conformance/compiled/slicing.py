"""The part of a test module that some of its classes need, as a module of its own."""

from __future__ import annotations

import ast


def slice_module(text: str, wanted: set[str]) -> str:
    """The source of these top-level names, and of what they use, in the order of the file."""
    statements = ast.parse(text).body
    owners = {name: node for node in statements for name in names_of(node)}
    kept: set[ast.stmt] = set()
    open_names = list(wanted)
    while open_names:
        node = owners.get(open_names.pop())
        if node is None or node in kept:
            continue
        kept.add(node)
        open_names += [each.id for each in ast.walk(node) if isinstance(each, ast.Name)]
    return "".join(f"{written(node, wanted, owners, kept)}\n\n" for node in statements if node in kept)


def names_of(node: ast.stmt) -> list[str]:
    """The names that a statement makes."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [(alias.asname or alias.name).partition(".")[0] for alias in node.names]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [each.id for each in targets if isinstance(each, ast.Name)]


def written(node: ast.stmt, wanted: set[str], owners: dict[str, ast.stmt], kept: set[ast.stmt]) -> str:
    """A statement's source; of an import only the names that are used."""
    if not isinstance(node, ast.ImportFrom):
        return ast.unparse(node)
    used = {
        each.id
        for other in kept
        if other is not node
        for each in ast.walk(other)
        if isinstance(each, ast.Name)
    }
    names = [alias for alias in node.names if (alias.asname or alias.name) in used]
    return ast.unparse(ast.ImportFrom(node.module, names, node.level)) if names else ""
