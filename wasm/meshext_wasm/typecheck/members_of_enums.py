"""An enumeration as the collection of its members."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression, MakeArray, ReadGlobal
from meshext_wasm.tree.program import Class, Global
from meshext_wasm.tree.types import ClassObjectType, ClassType, TupleType
from meshext_wasm.typecheck.plain_values import as_tuple

if TYPE_CHECKING:
    from meshext_wasm.typecheck.body import Body

ROOTS = ("builtins.enums.Enum", "builtins.enums.IntEnum", "builtins.enums.StrEnum")

BY_NAME = "[name]"
"""Under this a class of members has the function that finds one by its name; no name of a program."""


def is_enumeration(cls: Class | None) -> bool:
    """Whether a class has members."""
    return cls is not None and cls.base is not None and cls.base.symbol in ROOTS


def as_collection(body: Body, node: ast.AST, value: Expression) -> Expression:
    """The members in a tuple where the value is an enumeration, the items of a NamedTuple; any other value
    as it is."""
    cls = value.type.cls if isinstance(value.type, ClassObjectType) else None
    if cls is None or not is_enumeration(cls):
        return as_tuple(body, node, value)
    loc, type_ = body.loc(node), ClassType(cls)
    members = body.program.class_symbol(cls).members.values()
    items = [
        ReadGlobal(loc=loc, type=type_, variable=each)
        for each in members
        if isinstance(each, Global) and each.type == type_
    ]
    types = TupleType(tuple(type_ for _ in items))
    array = body.program.builtin_class("tuple")
    return MakeArray(loc=loc, type=types, cls=array, items=tuple(items))
