"""How the command line prints: problems and warnings to stderr, tables, colour on terminals only."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import TextIO

from meshext.printable import printable

RED, YELLOW, BOLD = 31, 33, 1
GAP = "   "
NARROWEST = 24  # characters of the last column, however narrow the terminal

Row = Sequence[str]


def print_problem(text: str) -> None:
    """One line on stderr: what is wrong."""
    print(f"{paint('meshext:', RED, sys.stderr)} {to_line(text)}", file=sys.stderr)


def print_drawing(text: str) -> None:
    """Lines on stderr that stand under each other as they are: source, with what is wrong underlined."""
    for line in text.split("\n"):
        print(printable(line), file=sys.stderr)


def print_warning(text: str) -> None:
    """One line on stderr: what to look after, though the command goes on."""
    print(f"{paint('meshext: warning:', YELLOW, sys.stderr)} {to_line(text)}", file=sys.stderr)


def heading(text: str) -> str:
    """A heading on stdout."""
    return paint(text, BOLD, sys.stdout)


def paint(text: str, style: int, stream: TextIO) -> str:
    """The text in a style (an SGR number of ECMA-48) where the stream is a terminal that shows it.

    NO_COLOR (https://no-color.org) and TERM=dumb turn it off.
    """
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty()
    return text if plain else f"\x1b[{style}m{text}\x1b[0m"


def to_line(text: str) -> str:
    """The text as one line without control characters, whatever a file's name or a value had in it."""
    joined = " ".join(part.strip() for part in text.splitlines() if part.strip())
    return printable(joined)


def format_table(rows: Sequence[Row], *, indent: str = "") -> list[str]:
    """Rows in columns; on a terminal the last column is wrapped to its width."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    start = len(indent) + sum(width + len(GAP) for width in widths[:-1])
    room = max(terminal_width() - start, NARROWEST) if sys.stdout.isatty() else max(widths[-1], 1)
    lines = []
    for row in rows:
        *cells, last = row
        front = "".join(cell.ljust(width) + GAP for cell, width in zip(cells, widths[:-1], strict=True))
        wrapped = textwrap.wrap(last, room) or [""]
        lines.append(f"{indent}{front}{wrapped[0]}".rstrip())
        lines += [" " * start + part for part in wrapped[1:]]
    return lines


def terminal_width() -> int:
    """Columns of the terminal."""
    return shutil.get_terminal_size().columns
