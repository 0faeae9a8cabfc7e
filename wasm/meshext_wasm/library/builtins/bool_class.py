"""bool: an int that shows itself as True or False."""

from __future__ import annotations

from meshext_wasm.library.builtins.int_class import Int
from meshext_wasm.library.builtins.objects import truth
from meshext_wasm.library.raw import builtin, constructor, method, value_is


@builtin("bool")
class Bool(Int):
    """True and False."""


@constructor(bool)
def falsehood() -> bool:
    """`bool()`."""
    return False


@constructor(bool)
def bool_of(value: object, /) -> bool:
    """`bool(value)`."""
    return truth(value)


@method(bool, "__bool__")
def is_true(value: bool) -> bool:
    """The bool itself."""
    return value_is(value, True)


@method(bool, "__repr__")
def repr_of_bool(value: bool) -> str:
    """`repr(value)`."""
    return "True" if value else "False"
