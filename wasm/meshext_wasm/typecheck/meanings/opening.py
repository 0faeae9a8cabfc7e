"""Open containers: dicts of text and lists that hold anything, and that nobody knows as narrower.

A look at a value's class does not tell that nobody knows a `dict[str, Any]` as `dict[str, int]`. So what is
made as one, or read from JSON, gets a mark, and what is Any may stand where such a container is wanted if
it has the mark. What is made as a dict of text has another: who only reads it as a `Mapping[str, Any]` need
not know what else is known of its values. The items of a tuple, a frozenset or a copy are looked at one by
one instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import ClassValue, Expression, MakeArray
from meshext_wasm.tree.program import Class
from meshext_wasm.tree.statements import Evaluate
from meshext_wasm.tree.types import (
    ClassObjectType,
    ClassType,
    NoneType,
    ObjectType,
    TupleType,
    Type,
    UnionType,
)
from meshext_wasm.typecheck.meanings.making import (
    call_known,
    constant,
    keep,
    narrow,
    sequence,
)
from meshext_wasm.typecheck.meanings.marking import as_open, is_keyed, is_open, is_read
from meshext_wasm.typecheck.meanings.symbols import Program
from meshext_wasm.typecheck.meanings.unions import (
    READ_ONLY,
    base_as,
    display,
    is_any,
    is_assignable,
    make_union,
    members_of,
)

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

LENT = frozenset("list dict set deque".split())
FIXED = frozenset("tuple frozenset".split())
"""Containers that nothing is put into."""


def openable(program: Program, given: Type, wanted: Type) -> bool:
    """Whether a value may stand for a container of text or of anything if it has the mark: it is Any, or
    its keys are, or a test told no more of it than that it is a container."""
    if not isinstance(wanted, ClassType) or not isinstance(given, ClassType | ObjectType):
        return False
    if not is_read(wanted):
        return is_open(program, wanted) and (is_any(given) or _may_be_open(program, given, wanted))
    if not is_keyed(program, wanted):
        return False
    if not isinstance(given, ClassType):
        return is_any(given) and isinstance(wanted.arguments[1], ObjectType)
    seen = base_as(program, given, wanted.cls)
    if seen is None or not seen.arguments:
        return False
    return is_any(seen.arguments[0]) and is_assignable(program, seen.arguments[1], wanted.arguments[1])


def _may_be_open(program: Program, given: Type, wanted: ClassType) -> bool:
    if not isinstance(given, ClassType) or given.cls is not wanted.cls or not is_open(program, given):
        return False
    return given.borrowed or is_any(given.arguments[0])


def opened(program: Program, given: Type, wanted: Type) -> list[ClassType]:
    """What a container that may be open is looked at for, its class being known; nothing where no look tells
    that it may stand there."""
    found = [
        each
        for each in members_of(wanted)
        if isinstance(each, ClassType) and any(openable(program, one, each) for one in members_of(given))
    ]
    fits = all(
        is_assignable(program, one, wanted) or any(openable(program, one, each) for each in found)
        for one in members_of(given)
    )
    return found if fits else []


def check_open(body: Body, value: Expression, wanted: Type, types: Iterable[Type]) -> Expression:
    """The value, TypeError where it is a list or dict without the mark that one of the types asks for."""
    marked = [each for each in types if isinstance(each, ClassType)]
    written = any(not is_read(each) and is_open(body.program, each) for each in marked)
    if not written and not any(is_keyed(body.program, each) for each in marked):
        return value
    with body.collect() as statements:
        kept = keep(body, statements, value)
    text = constant(body.program, value.loc, display(wanted))
    name = "check_open" if written else "check_keyed"
    look = call_known(body, value.loc, f"builtins.dynamic.{name}", kept, text)
    return sequence([*statements, Evaluate(loc=value.loc, value=look)], kept)


def as_lent(type_: Type) -> Type:
    """A container as a value that is Any may be taken for it: it is read alone, and its items are what they
    are. Any other type as it is."""
    match type_:
        case ClassType(cls, inner) if inner and (cls.name in LENT or cls.name in READ_ONLY):
            return replace(type_, arguments=tuple(ObjectType(unknown=True) for _ in inner), borrowed=True)
        case UnionType(items):
            return make_union(map(as_lent, items))
    return type_


def is_listed(given: Type, wanted: Type) -> bool:
    """Whether the items of a value are looked at one by one: it is a tuple or frozenset of Any, where one of
    items that a look tells of is wanted."""
    return (
        isinstance(given, ClassType)
        and isinstance(wanted, ClassType)
        and given.cls is wanted.cls
        and given.cls.name in FIXED
        and all(map(is_any, given.arguments))
        and all(is_told(each) for each in wanted.arguments)
    )


def is_told(type_: Type) -> bool:
    """Whether a look at the class of a value tells all of a type."""
    return all(
        isinstance(each, NoneType | ObjectType) or (isinstance(each, ClassType) and not each.arguments)
        for each in members_of(type_)
    )


def as_checked_copy(body: Body, made: Expression, expected: Type | None) -> Expression:
    """A new list, dict or set, which nobody else knows: its items may be taken for what is wanted of them,
    those that are Any after a look at each."""
    type_, program = made.type, body.program
    if not (isinstance(type_, ClassType) and isinstance(expected, ClassType) and type_.cls is expected.cls):
        return as_open(body, made)
    pairs = [*zip(type_.arguments, expected.arguments, strict=True)]
    if all(is_assignable(program, given, wanted) for given, wanted in pairs):
        return as_open(body, narrow(made, expected))
    if not all(is_any(given) and is_told(wanted) for given, wanted in pairs):
        return made
    return as_open(body, check_items(body, made, expected))


def check_items(body: Body, made: Expression, wanted: ClassType) -> Expression:
    """The container as the wanted type, TypeError for the first item of another class."""
    with body.collect() as statements:
        kept = keep(body, statements, made)
    parts = ("keys", "values") if len(wanted.arguments) == 2 else ("items",)
    for part, each in zip(parts, wanted.arguments, strict=True):
        if not isinstance(each, ObjectType):
            text = constant(body.program, kept.loc, display(each))
            classes = class_values(body, kept, members_of(each))
            look = call_known(body, kept.loc, f"builtins.dynamic.check_{part}", kept, classes, text)
            statements.append(Evaluate(loc=kept.loc, value=look))
    return sequence(statements, narrow(kept, wanted))


def class_values(body: Body, at: Expression, types: tuple[Type, ...]) -> Expression:
    """The classes of types, as a tuple."""
    classes = [runtime_class(body.program, each) for each in types]
    items = tuple(ClassValue(loc=at.loc, type=ClassObjectType(each), cls=each) for each in classes)
    type_ = TupleType(tuple(each.type for each in items))
    return MakeArray(loc=at.loc, type=type_, cls=body.program.builtin_class("tuple"), items=items)


def runtime_class(program: Program, type_: Type) -> Class:
    """The class of the values of a type that a look tells of."""
    return type_.cls if isinstance(type_, ClassType) else program.builtin_class("NoneType")
