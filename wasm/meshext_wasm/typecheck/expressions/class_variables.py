"""Variables of classes that classes below have too: which one is read follows from the class of the value."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import ClassValue, Expression, IsInstance
from meshext_wasm.tree.program import Class, Global
from meshext_wasm.tree.types import ClassObjectType, Rep
from meshext_wasm.typecheck.expressions.names import read_symbol
from meshext_wasm.typecheck.meanings.conversions import to_value
from meshext_wasm.typecheck.meanings.dispatching import depth
from meshext_wasm.typecheck.meanings.making import (
    call_known,
    class_type,
    conditional,
    convert,
    is_failed,
    keep,
    narrow,
    sequence,
)
from meshext_wasm.typecheck.meanings.symbols import ClassSymbol, ConstantSymbol, Program, Symbol
from meshext_wasm.typecheck.meanings.unions import join

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

Own = tuple[Class, Symbol]


def own_below(program: Program, owner: ClassSymbol, name: str) -> list[Own]:
    """The classes below one that have a variable of that name themselves, the lowest first."""
    found: list[Own] = []
    for cls, symbol in program.classes.items():
        member = symbol.members.get(name)
        if cls is not owner.cls and isinstance(member, Global | ConstantSymbol) and is_below(cls, owner.cls):
            found.append((cls, member))
    return sorted(found, key=lambda each: -depth(each[0]))


def is_below(cls: Class | None, above: Class) -> bool:
    """Whether a class is, or is below, another."""
    while cls is not None and cls is not above:
        cls = cls.base
    return cls is above


def read_own(body: Body, node: ast.AST, subject: Expression, member: Symbol, below: list[Own]) -> Expression:
    """The variable of the class that an instance, or a class that is a value, turns out to have."""
    with body.collect() as statements:
        kept = keep(body, statements, to_value(body, subject, node))
    made = to_value(body, read_symbol(body, node, member), node)
    for cls, own in reversed(below):
        here = to_value(body, read_symbol(body, node, own), node)
        if is_failed(here) or is_failed(made):
            return here if is_failed(here) else made
        type_ = join(body.program, here.type, made.type)
        made = conditional(made.loc, has_class(body, kept, cls), here, made, type_)
    return sequence(statements, made)


def has_class(body: Body, kept: Expression, cls: Class) -> Expression:
    """Whether a value is of the class, or of one below; of a class, whether it is one of those."""
    boolean = class_type(body.program, "bool")
    if not isinstance(kept.type, ClassObjectType):
        return IsInstance(loc=kept.loc, type=boolean, rep=Rep.BOOL, subject=kept, classes=(cls,))
    above = ClassValue(loc=kept.loc, type=ClassObjectType(cls), cls=cls)
    return convert(
        narrow(call_known(body, kept.loc, "builtins.objects.is_below", kept, above), boolean), Rep.BOOL
    )
