"""NotImplemented: the answer of a comparison that does not know the other side."""

# ruff: noqa: A001 - this is the built-in name

from __future__ import annotations

from meshext_wasm.library.raw import builtin


@builtin("NotImplementedType")
class NotImplementedType:
    """The class of NotImplemented."""

    def __repr__(self) -> str:
        return "NotImplemented"


NotImplemented = NotImplementedType()
