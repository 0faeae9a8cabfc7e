"""Members of IntEnum and StrEnum where their int or str is wanted, NamedTuples where a tuple is."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.program import Class
from meshext_wasm.tree.types import CallableType, ClassType, TupleType, Type
from meshext_wasm.typecheck.meanings.symbols import (
    ClassSymbol,
    FunctionSymbol,
    Program,
    find_field,
    find_member,
)
from meshext_wasm.typecheck.meanings.unions import base_as, is_assignable, members_of

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

PLAIN = {"builtins.enums.IntEnum": "int", "builtins.enums.StrEnum": "str"}


def plain_name(type_: Type) -> str | None:
    """`int` or `str` for members that are those too."""
    cls = type_.cls if isinstance(type_, ClassType) else None
    while cls is not None:
        if cls.symbol in PLAIN:
            return PLAIN[cls.symbol]
        cls = cls.base
    return None


def named_tuple(program: Program, type_: Type) -> ClassSymbol | None:
    """The NamedTuple that a value is an instance of."""
    cls = type_.cls if isinstance(type_, ClassType) else None
    while cls is not None:
        symbol = program.classes.get(cls)
        if symbol is not None and symbol.named:
            return symbol
        cls = cls.base
    return None


def plain_type(program: Program, type_: Type) -> Type | None:
    """The int, str or tuple that a value also is; None for any other value."""
    name = plain_name(type_)
    if name is not None:
        return ClassType(program.builtin_class(name))
    symbol = named_tuple(program, type_)
    if symbol is None:
        return None
    slots = [find_field(program, symbol, each) for each in symbol.data_fields]
    return TupleType(tuple(each[1].type for each in slots if each is not None))


def has_own(program: Program, type_: Type, *names: str) -> bool:
    """Whether a class of the program that is a tuple, int or str too has one of these methods itself."""
    if plain_type(program, type_) is None or not isinstance(type_, ClassType):
        return False
    found = [find_member(program, program.class_symbol(type_.cls), name) for name in names]
    return any(
        isinstance(each, FunctionSymbol) and each.owner is not None and not is_builtin(each.owner)
        for each in found
    )


def is_builtin(owner: ClassSymbol) -> bool:
    """Whether a class is one of the library's own."""
    return owner.cls.symbol.startswith("builtins.")


def plain_fits(program: Program, given: Type, wanted: Type) -> bool:
    """Whether what a value also is may stand where a type is wanted."""
    type_ = plain_type(program, given)
    return type_ is not None and is_assignable(program, type_, wanted)


def plain(body: Body, node: ast.AST, value: Expression) -> Expression:
    """The int, str or tuple that a value also is; any other value as it is."""
    from meshext_wasm.typecheck.expressions.attributes import read_attribute

    if plain_name(value.type) is not None:
        return read_attribute(body, node, value, "value")
    return as_tuple(body, node, value)


def as_tuple(body: Body, node: ast.AST, value: Expression) -> Expression:
    """The tuple of a NamedTuple; any other value as it is."""
    from meshext_wasm.typecheck.expressions.attributes import read_attribute
    from meshext_wasm.typecheck.expressions.displays import make_tuple
    from meshext_wasm.typecheck.meanings.making import keep, sequence

    symbol = named_tuple(body.program, value.type)
    type_ = plain_type(body.program, value.type)
    if symbol is None or not isinstance(type_, TupleType):
        return value
    with body.collect() as statements:
        kept = keep(body, statements, value)
    items = [read_attribute(body, node, kept, each) for each in symbol.data_fields]
    return sequence(statements, make_tuple(body, node, items, type_))


def as_iterable(body: Body, node: ast.AST, value: Expression) -> Expression:
    """What iterates a value of a class that has an `__iter__` of its own; any other value as it is, a
    NamedTuple as a tuple."""
    from meshext_wasm.typecheck.calling.methods import call_found

    program, type_ = body.program, value.type
    if (
        not isinstance(type_, ClassType)
        or base_as(program, type_, program.known_class("Iterable")) is not None
    ):
        return as_tuple(body, node, value)
    found = find_member(program, program.class_symbol(type_.cls), "__iter__")
    own = isinstance(found, FunctionSymbol) and found.owner is not None and found.owner.base is not None
    if not isinstance(found, FunctionSymbol) or not own:
        return as_tuple(body, node, value)
    return as_iterator(body, node, call_found(body, node, found, value, []))


def as_iterator(body: Body, node: ast.AST, value: Expression) -> Expression:
    """What moves over the items of a value of a class that has a `__next__` of its own; any other value as it
    is."""
    from meshext_wasm.typecheck.calling.methods import bound
    from meshext_wasm.typecheck.meanings.making import call_known, narrow

    program, type_ = body.program, value.type
    found = own_next(program, type_)
    if found is None:
        return value
    step = bound(body, node, found, value)
    if not isinstance(step.type, CallableType):
        return step
    made = call_known(body, body.loc(node), "builtins.generators.following", step)
    return narrow(made, ClassType(program.known_class("Iterator"), (step.type.result,)))


def own_next(program: Program, type_: Type) -> FunctionSymbol | None:
    """The `__next__` that a class of the program has itself."""
    if (
        not isinstance(type_, ClassType)
        or base_as(program, type_, program.known_class("Iterable")) is not None
    ):
        return None
    found = find_member(program, program.class_symbol(type_.cls), "__next__")
    return found if isinstance(found, FunctionSymbol) else None


def hides_plain(program: Program, type_: Type, classes: list[Class]) -> str | None:
    """The class among those of a test that a value belongs to in Python, but not in a module."""
    names = {each.symbol.removeprefix("builtins.") for each in classes}
    for each in members_of(type_):
        name = "tuple" if named_tuple(program, each) is not None else plain_name(each)
        if name in names:
            return name
    return None
