"""The whole grammar: the core of the language, and what the library and rarer methods add to it."""

from __future__ import annotations

from typing import Final

from tests.wasm.differential import grammar, libraries

PLAIN: Final = libraries.PLAIN
"""Holes that stand for a text of their own, not for an expression."""


def joined(core: dict[str, list[str]], more: dict[str, list[str]]) -> dict[str, list[str]]:
    """Two tables as one."""
    return {kind: [*core.get(kind, []), *more.get(kind, [])] for kind in [*core, *more]}


EXPRESSIONS: Final = joined(grammar.EXPRESSIONS, libraries.EXPRESSIONS)
LITERALS: Final = joined(grammar.LITERALS, libraries.LITERALS)
ANNOTATIONS: Final = grammar.ANNOTATIONS | libraries.ANNOTATIONS
CUT: Final = grammar.CUT | libraries.CUT
EFFECTS: Final = [*grammar.EFFECTS, *libraries.EFFECTS]
