"""Groups as the library's own parser of regular expressions finds them."""

from __future__ import annotations

import ast

from meshext_wasm.library.re.nodes import ALTERNATIVES, GROUP, REPEAT, VERBOSE, Node, error
from meshext_wasm.library.re.parsing import parse
from meshext_wasm.library.re.scanner import Scanner
from meshext_wasm.typecheck.meanings.groups import Groups

FLAGS = dict.fromkeys("A ASCII I IGNORECASE M MULTILINE S DOTALL U UNICODE".split(), 0)
FLAGS |= dict.fromkeys(["X", "VERBOSE"], VERBOSE)
"""Flags by name, and what each changes in how groups are read."""


def parse_groups(pattern: str | bytes, flags: ast.expr | None) -> Groups | None:
    """The groups of a pattern; None where its flags are not written out, or it does not compile."""
    known = read_flags(flags)
    if known is None:
        return None
    scanner = Scanner(pattern, known)
    try:
        tree = parse(scanner)
    except (error, RecursionError):
        return None
    return Groups(scanner.groups, dict(scanner.names), present(tree) | {0}, type(pattern).__name__)


def read_flags(node: ast.expr | None) -> int | None:
    """Flags such as `re.I | re.X`; None where they are something else."""
    match node:
        case None:
            return 0
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            first, second = read_flags(left), read_flags(right)
            return None if first is None or second is None else first | second
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return FLAGS.get(name)
    return None


def present(node: Node) -> frozenset[int]:
    """The groups that have taken part wherever this part of a pattern has matched."""
    if node.kind == REPEAT and node.low == 0:
        return frozenset()
    parts = [present(part) for part in node.parts]
    if node.kind == ALTERNATIVES:
        return frozenset.intersection(*parts)
    own = {node.group} if node.kind == GROUP and node.group else set()
    return frozenset(own).union(*parts)
