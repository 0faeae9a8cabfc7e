"""What a module imports, and whether that runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from meshext_wasm.source.file import SourceFile

# Known to the compiler itself: nothing of them runs.
KNOWN = frozenset("__future__ abc dataclasses enum typing typing_extensions".split())
LIBRARY = "meshext_wasm.library"


@dataclass(frozen=True, slots=True)
class Import:
    """One module that is imported: `names` are (its name, the name here), empty for `import module`.

    `runs`: whether the importing module needs it to have run before: not under TYPE_CHECKING, and not inside
    of a function. `function`: the one that it stands in, whose own names these are.
    """

    node: ast.Import | ast.ImportFrom
    module: str
    names: tuple[tuple[str, str], ...]
    bound: str = ""
    runs: bool = True
    function: ast.AST | None = None


def find_imports(source: SourceFile) -> list[Import]:
    """All imports of a file, in order."""
    return list(walk(source, source.tree.body, runs=True))


def walk(
    source: SourceFile, statements: list[ast.stmt], *, runs: bool, function: ast.AST | None = None
) -> Iterator[Import]:
    """Imports in statements, nested ones included."""
    for node in statements:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for each in read_import(source, node, runs=runs):
                yield replace(each, function=function)
            continue
        own = node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else None
        if own is not None and is_left_out(own):
            continue
        inner, place = runs and own is None, own or function
        typing_only = isinstance(node, ast.If) and is_type_checking(node.test)
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, [])
            yield from walk(
                source, block, runs=inner and not (typing_only and name == "body"), function=place
            )
        for each in [*getattr(node, "handlers", []), *getattr(node, "cases", [])]:
            yield from walk(source, each.body, runs=inner, function=place)


def read_import(source: SourceFile, node: ast.Import | ast.ImportFrom, *, runs: bool) -> Iterator[Import]:
    """The modules of one import statement."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(node, alias.name, (), alias.asname or alias.name, runs)
        return
    names = tuple((alias.name, alias.asname or alias.name) for alias in node.names)
    yield Import(node, absolute(source, node), names, "", runs)


def absolute(source: SourceFile, node: ast.ImportFrom) -> str:
    """The full name of the module behind a relative import; empty where it leaves the top."""
    if not node.level:
        return node.module or ""
    parts = source.name.split(".")
    keep = len(parts) - node.level + source.package
    if keep < 0 or (keep == 0 and not node.module):
        return ""
    return ".".join([*parts[:keep], *([node.module] if node.module else [])])


def is_left_out(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """`@classmethod def from_document`: a configuration is read before a module gets it, so it is not
    compiled, nor is what only it imports."""
    names = [getattr(each, "id", "") for each in node.decorator_list]
    return node.name == "from_document" and names == ["classmethod"]


def is_type_checking(test: ast.expr) -> bool:
    """`TYPE_CHECKING` or `typing.TYPE_CHECKING`."""
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def unit_name(module: str) -> str:
    """A module's name in a unit: that of a library module without the library's own."""
    return (module + ".").removeprefix(LIBRARY + ".").rstrip(".")
