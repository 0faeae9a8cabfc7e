"""One source file: its text, its syntax tree, and places in it."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass

from meshext_wasm.diagnostics.diagnostic import Diagnostic
from meshext_wasm.tree.program import Loc


@dataclass(frozen=True, slots=True, eq=False)
class SourceFile:
    """A module. `name` is the unit's (`builtins.text` for a library module), `file` what places show.

    `package`: whether it is an `__init__.py`. `library`: whether it is part of the run-time library.
    """

    name: str
    file: str
    text: str
    lines: tuple[str, ...]
    tree: ast.Module
    package: bool = False
    library: bool = False

    def loc(self, node: ast.AST) -> Loc:
        """Where a node stands; the start of the file for one without a place."""
        line = getattr(node, "lineno", 1)
        end_line = getattr(node, "end_lineno", None) or line
        start, end = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", None) or 0
        if not self.text.isascii():
            start, end = self.column(line, start), self.column(end_line, end)
        return Loc(self.file, line, start, end_line, end)

    def column(self, line: int, offset: int) -> int:
        """Characters before a byte of a line: Python's syntax trees count bytes of UTF-8."""
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        if text.isascii():
            return offset
        return len(text.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "ignore"))


def split_lines(text: str) -> tuple[str, ...]:
    """Lines as Python's parser counts them: a form feed or U+2028 ends none."""
    return tuple(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


def parse_source(
    name: str, file: str, text: str, *, package: bool = False, library: bool = False
) -> SourceFile | Diagnostic:
    """A file's syntax tree, or what Python's parser has against it."""
    lines = split_lines(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text, file)
    except SyntaxError as error:
        line, column = error.lineno or 1, max((error.offset or 1) - 1, 0)
        end = max((error.end_offset or 0) - 1, column + 1) if error.end_lineno == line else column + 1
        return Diagnostic(Loc(file, line, column, line, end), f"not Python: {error.msg}")
    except (ValueError, RecursionError, MemoryError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError | MemoryError) else str(error)
        return Diagnostic(Loc(file, 1, 0, 1, 0), f"not Python: {reason}")
    return SourceFile(name, file, text, lines, tree, package, library)
