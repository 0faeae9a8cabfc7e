"""Static types of the language, as the checker knows them and the rest of the pipeline reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshext_wasm.tree.program import Class


class Rep(StrEnum):
    """How a value stands in a register.

    `VALUE` is every Python value in 64 bits that say what they are (see ARCHITECTURE.md), `BOOL` a truth
    that was just computed, `FLOAT` an IEEE double out of its box. `WORD` (32 bits) and `WIDE` (64 bits) are
    raw and exist in the run-time library only. `NOTHING` is a call that gives no result.
    """

    VALUE = "value"
    BOOL = "bool"
    FLOAT = "float"
    WORD = "word"
    WIDE = "wide"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Type:
    """Root of the types."""


@dataclass(frozen=True, slots=True)
class RawType(Type):
    """`word`, `wide` or `double` of the run-time library: not a Python value, never in a slot."""

    rep: Rep


@dataclass(frozen=True, slots=True)
class ClassType(Type):
    """An instance of a class. `int` holds bools too, and `float` as an annotation ints and bools: their
    values say what they are.

    `borrowed`: a container that somebody else may know as one of narrower items, as `isinstance` told what it
    is: its items can be read, and nothing is put into it.
    """

    cls: Class
    arguments: tuple[Type, ...] = ()
    borrowed: bool = False


@dataclass(frozen=True, slots=True)
class TupleType(Type):
    """A tuple whose length is known; `tuple[T, ...]` is a ClassType of class `tuple`."""

    items: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class LiteralType(Type):
    """One value of str, int, bool or bytes, as in `Literal["a"]`."""

    value: str | int | bool | bytes
    base: ClassType


@dataclass(frozen=True, slots=True)
class NoneType(Type):
    """None."""


@dataclass(frozen=True, slots=True)
class ObjectType(Type):
    """Any Python value; only what every object has can be done with it before it is narrowed.

    `unknown` is `Any`, and an item of a container that only `isinstance` told of: it may stand where a plain
    class is wanted, and is tested there. As a type it is no other than `object`.
    """

    unknown: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class NeverType(Type):
    """No value: what raises, and the items of an empty container until something is put into it."""


@dataclass(frozen=True, slots=True)
class UnionType(Type):
    """One of several, none of them a union; made by `typecheck.unions.join`.

    `loose` is the result of a function that is annotated `Any` and of which the compiler knows more: it may
    stand where one of the several is wanted, and is tested there.
    """

    items: tuple[Type, ...]
    loose: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class CallableType(Type):
    """A function value with positional parameters."""

    parameters: tuple[Type, ...]
    result: Type


@dataclass(frozen=True, slots=True)
class ClassObjectType(Type):
    """A class itself as a value, `type[C]`; `cls` None where any class may be there."""

    cls: Class | None


@dataclass(frozen=True, slots=True)
class TypeVariable(Type):
    """A parameter of a generic class or function of the run-time library; its values are `VALUE`s."""

    name: str
    bound: Type | None = None


def rep_of(type_: Type) -> Rep:
    """How values of a type stand in variables, slots, parameters and results."""
    return type_.rep if isinstance(type_, RawType) else Rep.VALUE
