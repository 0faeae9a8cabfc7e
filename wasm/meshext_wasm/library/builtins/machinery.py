"""Classes of values that programs use without naming them: None, functions, classes, cells, raw arrays.

Their layouts are the compiler's; here is what `object`'s methods answer for them.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from meshext_wasm.library.builtins.objects import class_name
from meshext_wasm.library.raw import builtin

T = TypeVar("T")


@builtin("NoneType")
class NoneType:
    """The class of None."""

    def __repr__(self) -> str:
        return "None"

    def __bool__(self) -> bool:
        return False


@builtin("function")
class Function:
    """The class of function values."""

    def __repr__(self) -> str:
        return "<function>"


@builtin("cell")
class Cell:
    """What holds a variable that closures share."""


@builtin("array")
class Array(Generic[T]):
    """A fixed number of values; what lists, dicts and sets are made of."""


@builtin("type")
class Type:
    """The class of classes."""

    def __repr__(self) -> str:
        return f"<class '{class_name(self)}'>"
