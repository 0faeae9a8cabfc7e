"""An enumeration as the collection of its members."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression, MakeArray, ReadGlobal
from meshext_wasm.tree.program import Class, Global
from meshext_wasm.tree.types import ClassObjectType, ClassType, TupleType
from meshext_wasm.typecheck.meanings.plain_values import as_tuple

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

NAMES = ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "TextEnum", "NumberEnum")
ROOTS = tuple(f"builtins.enums.{name}" for name in NAMES)
FLAGS = ("builtins.enums.Flag", "builtins.enums.IntFlag")

BY_NAME = "[name]"
"""Under this a class of members has the function that finds one by its name; no name of a program."""


def is_enumeration(cls: Class | None) -> bool:
    """Whether a class has members."""
    return cls is not None and cls.base is not None and cls.base.symbol in ROOTS


def is_flag(cls: Class | None) -> bool:
    """Whether its members are sets of bits."""
    return cls is not None and cls.base is not None and cls.base.symbol in FLAGS


def as_collection(body: Body, node: ast.AST, value: Expression) -> Expression:
    """The members in a tuple where the value is an enumeration, the items of a NamedTuple; any other value
    as it is."""
    cls = value.type.cls if isinstance(value.type, ClassObjectType) else None
    if cls is None or not is_enumeration(cls):
        return as_tuple(body, node, value)
    loc, type_ = body.loc(node), ClassType(cls)
    symbol = body.program.class_symbol(cls)
    items = [
        ReadGlobal(loc=loc, type=type_, variable=each)
        for name, each in symbol.members.items()
        if isinstance(each, Global) and each.type == type_ and name not in symbol.aliases
    ]
    types = TupleType(tuple(type_ for _ in items))
    array = body.program.builtin_class("tuple")
    return MakeArray(loc=loc, type=types, cls=array, items=tuple(items))
