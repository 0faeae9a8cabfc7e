"""An enumeration as the collection of its members."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression, MakeArray, ReadGlobal
from meshext_wasm.tree.program import Global
from meshext_wasm.tree.types import ClassObjectType, ClassType, TupleType

if TYPE_CHECKING:
    from meshext_wasm.typecheck.body import Body

ROOT = "builtins.enums.Enum"


def as_collection(body: Body, node: ast.AST, value: Expression) -> Expression:
    """The members in a tuple where the value is an enumeration; any other value as it is."""
    cls = value.type.cls if isinstance(value.type, ClassObjectType) else None
    if cls is None or cls.base is None or cls.base.symbol != ROOT:
        return value
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
