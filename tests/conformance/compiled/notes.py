"""Notes of compiled filters: lines of Envoy's log, made notes again."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from meshext.testing import Log
from tests.conformance.case import NOTES

MARK = "note "
MODULE = "tests.conformance.case"
SOURCE = '''"""Notes of filters, as lines of the log."""

from meshext_wasm.library.proxy.host import INFO, log


def note(text: str) -> None:
    """One note."""
    log(INFO, "note " + text)
'''
"""What stands in MODULE's place in a compiled program."""


class NotesAsText(ast.NodeTransformer):
    """`note(a, b)` becomes `note(repr((a, b)))`, which a log can carry."""

    def visit_Call(self, node: ast.Call) -> ast.AST:  # the name that ast calls
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "note":
            shown = ast.Call(ast.Name("repr"), [ast.Tuple(node.args, ast.Load())], [])
            return ast.Call(node.func, [shown], [])
        return node


def take_notes(logs: Iterable[Log]) -> tuple[Log, ...]:
    """Put the notes among these lines where a filter's `note` would have put them; the other lines."""
    rest = []
    for log in logs:
        if log.message.startswith(MARK):
            NOTES.append(ast.literal_eval(log.message.removeprefix(MARK)))
        else:
            rest.append(log)
    return tuple(rest)
