"""The marks of containers, which say what nobody knows them as: see `opening`.

A list or dict that was made as one of anything is open. A dict that was made as one of text has a mark too.
An open dict takes no other keys, whatever the place that puts them in knows of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.statements import Evaluate, Statement
from meshext_wasm.tree.types import ClassType, ObjectType, Type, TypeVariable
from meshext_wasm.typecheck.meanings.making import (
    call_known,
    class_type,
    intrinsic,
    is_failed,
    keep,
    narrow,
    sequence,
)
from meshext_wasm.typecheck.meanings.symbols import FunctionSymbol, Program
from meshext_wasm.typecheck.meanings.unions import READ_ONLY, is_any, is_assignable

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

OPEN = frozenset("list dict".split())
MANY = frozenset("update __ior__".split())
PUTTING = MANY | {"__setitem__", "setdefault"}
"""Methods of a dict that put keys in."""
SEEN = frozenset("dict Mapping".split())
"""What a dict may be taken for."""


def is_open(program: Program, type_: Type) -> bool:
    """Whether containers of a type are open: their items are anything, their keys text."""
    if not isinstance(type_, ClassType) or type_.cls.name not in OPEN or not type_.arguments:
        return False
    *keys, item = type_.arguments
    text = class_type(program, "str")
    return isinstance(item, ObjectType) and all(isinstance(each, ObjectType) or each == text for each in keys)


def as_open(body: Body, made: Expression) -> Expression:
    """What was just made, with the mark where it is an open container, or a dict whose keys are text."""
    type_ = made.type
    if body.function.outside or is_failed(made) or not isinstance(type_, ClassType) or type_.borrowed:
        return made
    opens, keyed = is_open(body.program, type_), is_keyed(body.program, type_)
    if not (keyed or (opens and type_.cls.name == "list")):
        return made  # a dict's keys may be anything, and who looks at a mark takes them for text
    name = "value.open" if opens else "value.key"
    with body.collect() as statements:
        kept = keep(body, statements, made)
    mark = intrinsic(body.program, made.loc, name, kept)
    return sequence([*statements, Evaluate(loc=made.loc, value=mark)], kept)


def is_keyed(program: Program, type_: ClassType) -> bool:
    """Whether it is a type of mappings whose keys are text."""
    return type_.cls.name in SEEN and type_.arguments[:1] == (class_type(program, "str"),)


def widened(body: Body, value: Expression, wanted: Type) -> Expression | None:
    """A `dict[str, Any]` where one of any keys is wanted: it gets the mark, so that it takes no other keys;
    None for anything else."""
    given, program = value.type, body.program
    if not (isinstance(given, ClassType) and isinstance(wanted, ClassType) and given.cls is wanted.cls):
        return None
    if given.borrowed or not (is_keyed(program, given) and is_open(program, given)):
        return None
    fits = is_open(program, wanted) and is_any(wanted.arguments[0])
    return narrow(as_open(body, value), wanted) if fits else None


def guarded(
    body: Body, symbol: FunctionSymbol, arguments: list[Expression], statements: list[Statement]
) -> list[Expression]:
    """The arguments of a method that puts keys into a dict of any keys: it may be open, and then takes text
    alone."""
    if body.function.outside or symbol.name not in PUTTING or symbol.owner is None:
        return arguments
    type_, text = arguments[0].type, class_type(body.program, "str")
    if not (isinstance(type_, ClassType) and type_.cls.name == "dict"):
        return arguments
    many = symbol.name in MANY
    if not isinstance(type_.arguments[0], ObjectType | TypeVariable):
        return arguments
    if not many and is_assignable(body.program, arguments[1].type, text):
        return arguments
    kept = [keep(body, statements, each) for each in arguments]
    loc = arguments[0].loc
    given = kept[:1] if many else kept[:2]
    look = call_known(body, loc, f"builtins.dynamic.check_{'keys_put' if many else 'key'}", *given)
    statements.append(Evaluate(loc=loc, value=look))
    return kept


def is_read(type_: ClassType) -> bool:
    """Whether nothing is put into what is taken for this type."""
    return type_.borrowed or type_.cls.name in READ_ONLY
