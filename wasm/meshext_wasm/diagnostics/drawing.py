"""Drawing a place in a source file: the line and what is meant in it, underlined."""

from __future__ import annotations

import unicodedata

from meshext_wasm.tree.program import Loc

TAB = 4


def draw(loc: Loc, text: str, source: str) -> str:
    """`file:line:column: text`, then the first line of the place, underlined; columns count from 1."""
    head = f"{loc.file}:{loc.line}:{loc.column + 1}: {text}"
    lines = source.splitlines()
    if not 1 <= loc.line <= len(lines):
        return head
    line = lines[loc.line - 1]
    end = loc.end_column if loc.end_line == loc.line else len(line.rstrip())
    marked = line[loc.column : max(end, loc.column + 1)]
    before, under = shown(line[: loc.column]), max(width(shown(marked)), 1)
    return f"{head}\n    {shown(line).rstrip()}\n    {' ' * width(before)}{'^' * under}"


def shown(text: str) -> str:
    """A text as it is printed: tabs as blanks, so that the underline fits."""
    return text.replace("\t", " " * TAB)


def width(text: str) -> int:
    """Columns that a terminal uses: wide characters two, combining ones none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def underlined(loc: Loc, source: str) -> str:
    """The source text of a place, lines joined as they are."""
    lines = source.splitlines(keepends=True)[loc.line - 1 : loc.end_line]
    if not lines:
        return ""
    lines[-1] = lines[-1][: loc.end_column]
    lines[0] = lines[0][loc.column :]
    return "".join(lines)
