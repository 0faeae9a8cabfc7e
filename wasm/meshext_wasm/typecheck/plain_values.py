"""Members of IntEnum and StrEnum where the int or str that they are is wanted."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.program import Class
from meshext_wasm.tree.types import ClassType, Type
from meshext_wasm.typecheck.symbols import Program
from meshext_wasm.typecheck.unions import is_assignable, members_of

if TYPE_CHECKING:
    from meshext_wasm.typecheck.body import Body

PLAIN = {"builtins.enums.IntEnum": "int", "builtins.enums.StrEnum": "str"}


def plain_name(type_: Type) -> str | None:
    """`int` or `str` for members that are those too."""
    cls = type_.cls if isinstance(type_, ClassType) else None
    while cls is not None:
        if cls.symbol in PLAIN:
            return PLAIN[cls.symbol]
        cls = cls.base
    return None


def plain_fits(program: Program, given: Type, wanted: Type) -> bool:
    """Whether what a member is may stand where a type is wanted."""
    name = plain_name(given)
    return name is not None and is_assignable(program, ClassType(program.builtin_class(name)), wanted)


def plain(body: Body, node: ast.AST, value: Expression) -> Expression:
    """The int or str of a member; any other value as it is."""
    from meshext_wasm.typecheck.attributes import read_attribute

    return value if plain_name(value.type) is None else read_attribute(body, node, value, "value")


def hides_plain(type_: Type, classes: list[Class]) -> str | None:
    """The class among those of a test that a member belongs to in Python, but not in a module."""
    names = {each.symbol.removeprefix("builtins.") for each in classes}
    return next((name for each in members_of(type_) if (name := plain_name(each)) in names), None)
