"""What the fields of a `Config` are for: the docstring under each, read from the class's source.

    class Config:
        header: str = "x-user"
        \"\"\"Whose value tells users apart.\"\"\"

Python drops such a string, so the source is read, and only for people who ask. What a field says in its
metadata (`field(metadata={"help": ...})`) wins; where there is no source, that is all there is.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from meshext.config.shapes import Field, Model


def with_docs(model: Model) -> Model:
    """The model, each field without help given the docstring under it."""
    return Model(model.root, {cls: _documented(cls, fields) for cls, fields in model.records.items()})


def field_docs(cls: type) -> dict[str, str]:
    """Field name to its docstring in one line, fields of base classes included."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__[:-1]):
        found |= dict(_own_docs(base))
    return found


def _documented(cls: type, fields: tuple[Field, ...]) -> tuple[Field, ...]:
    docs = field_docs(cls)
    return tuple(field if field.help else replace(field, help=docs.get(field.name, "")) for field in fields)


def _own_docs(cls: type) -> Iterator[tuple[str, str]]:
    for statement, below in pairwise(_body(cls)):
        if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            text = below.value.value
            if isinstance(text, str):
                yield statement.target.id, " ".join(text.split())


def _body(cls: type) -> list[ast.stmt]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError, SyntaxError):
        return []  # no source: a class made at run time, or an installation without any
    [definition] = tree.body
    return definition.body if isinstance(definition, ast.ClassDef) else []
