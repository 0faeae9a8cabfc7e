"""Whether evaluating an expression may write to a variable of the function it stands in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from meshext_wasm.tree.expressions import Expression, Sequence


def parts(expression: Expression) -> Iterator[Expression]:
    """The expressions directly inside one, statements of a `Sequence` left out."""
    for each in fields(expression):
        value = getattr(expression, each.name)
        if isinstance(value, Expression):
            yield value
        elif isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, Expression))


def writes(expression: Expression) -> bool:
    """True where there is any `Sequence`: only its statements can write. Errs on the side of yes."""
    return isinstance(expression, Sequence) or any(writes(each) for each in parts(expression))
