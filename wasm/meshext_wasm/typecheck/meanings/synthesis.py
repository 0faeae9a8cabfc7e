"""Code that the checker writes itself: as source, with parts put in, all at the place that asked for it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.types import Type

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

BUILTIN = "builtins:"
KNOWN = "known:"
OWNER = "owner:"


class Ready(ast.expr):
    """An expression that builds itself."""

    def __init__(self, build: Callable[[Body], Expression]) -> None:
        super().__init__()
        self.build = build


class Typed(ast.expr):
    """An annotation whose type is known."""

    def __init__(self, type_: Type) -> None:
        super().__init__()
        self.type_ = type_


class Fill(ast.NodeTransformer):
    """Put the parts in, and give everything the place."""

    def __init__(self, place: ast.AST, parts: Mapping[str, ast.AST]) -> None:
        self.place = place
        self.parts = parts

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A part, or a name as it is; `OWNER` is the class."""
        if node.id == "OWNER":
            return ast.copy_location(ast.Name(OWNER, node.ctx), self.place)
        part = self.parts.get(node.id)
        if part is None:
            return ast.copy_location(ast.Name(node.id, node.ctx), self.place)
        return ast.copy_location(part, self.place) if isinstance(part, Ready | Typed) else part

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """`BUILTINS.x` is a built-in name that nobody hides, `KNOWN.a.b` one of the library."""
        words = ast.unparse(node).split(".")
        for mark, prefix in (("BUILTINS", BUILTIN), ("KNOWN", KNOWN)):
            if words[0] == mark and (mark == "KNOWN" or len(words) == 2):
                return ast.copy_location(ast.Name(prefix + ".".join(words[1:]), node.ctx), self.place)
        made = self.generic_visit(node)
        made.written = True  # type: ignore[attr-defined]  # the code of a frozen class writes its own fields
        return made

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Every node gets the place."""
        super().generic_visit(node)
        return ast.copy_location(node, self.place)


def write_code(text: str, place: ast.AST, parts: Mapping[str, ast.AST] | None = None) -> ast.stmt:
    """One statement of source."""
    made = Fill(place, parts or {}).visit(ast.parse(text).body[0])
    assert isinstance(made, ast.stmt)
    return made
