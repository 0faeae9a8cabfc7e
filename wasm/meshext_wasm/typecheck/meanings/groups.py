"""What a regular expression says of its groups, where it is written out."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from meshext_wasm.library.re.nodes import ALTERNATIVES, GROUP, REPEAT, VERBOSE, Node, error
from meshext_wasm.library.re.parsing import parse
from meshext_wasm.library.re.scanner import Scanner

FLAGS = dict.fromkeys("A ASCII I IGNORECASE M MULTILINE S DOTALL U UNICODE".split(), 0)
FLAGS |= dict.fromkeys(["X", "VERBOSE"], VERBOSE)
"""Flags by name, and what each changes in how groups are read."""


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of a pattern: how many, their names, the numbers of those that are in every match, and the
    class of its texts, `str` or `bytes`."""

    count: int
    names: Mapping[str, int]
    always: frozenset[int]
    text: str = "str"

    def has(self, group: object) -> bool:
        """Whether a group, by number or name, is in every match."""
        number = self.names.get(group) if isinstance(group, str) else group
        return isinstance(number, int) and number in self.always


def read_groups(call: ast.Call, flags_at: int) -> Groups | None:
    """The groups of the pattern that a call has first; its flags are named, or the argument with that number.

    None where the pattern or its flags are not written out, or it does not compile.
    """
    named = (each.value for each in call.keywords if each.arg == "flags")
    known = read_flags(call.args[flags_at] if len(call.args) > flags_at else next(named, None))
    pattern = call.args[0] if call.args else None
    if known is None or not isinstance(pattern, ast.Constant) or not isinstance(pattern.value, str | bytes):
        return None
    scanner = Scanner(pattern.value, known)
    try:
        tree = parse(scanner)
    except (error, RecursionError):
        return None
    return Groups(scanner.groups, dict(scanner.names), present(tree) | {0}, type(pattern.value).__name__)


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
