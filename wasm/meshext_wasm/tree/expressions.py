"""Expressions of the core language. Every one has a place, a static type and a representation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshext_wasm.tree.types import Rep, Type

if TYPE_CHECKING:
    from meshext_wasm.tree.program import Class, Field, Function, Global, Loc, Method, Variable
    from meshext_wasm.tree.statements import Statement

Literal = None | bool | int | float | str | bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Expression:
    """Root: where it stands, what it is, how it stands in a register."""

    loc: Loc
    type: Type
    rep: Rep = Rep.VALUE


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Constant(Expression):
    """A literal; ints of any size, str and bytes of any length. With a raw rep, a number."""

    value: Literal


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Unset(Expression):
    """The mark of a variable or slot that has no value yet; no Python value."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Local(Expression):
    """Read a variable of this function, or one that it captures."""

    variable: Variable


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadGlobal(Expression):
    """Read a variable of a module."""

    variable: Global


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadField(Expression):
    """Read a slot of an instance whose class is known to have it.

    `checked`: the slot may be unset, then AttributeError.
    """

    subject: Expression
    field: Field
    checked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Call(Expression):
    """Call a function that is known; arguments in the order of its parameters, in their reps."""

    function: Function
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CallMethod(Expression):
    """Call the method that the class of the subject has in this place. All reps are VALUE; the subject may be
    any Python value whose class is below `method.owner`, immediate ones included."""

    method: Method
    subject: Expression
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CallValue(Expression):
    """Call a function value; all reps are VALUE."""

    callee: Expression
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MakeFunction(Expression):
    """A function value: `function` with the cells that it captures."""

    function: Function


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassValue(Expression):
    """A class as a value."""

    cls: Class


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MakeInstance(Expression):
    """A new instance, every slot unset."""

    cls: Class


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MakeArray(Expression):
    """A new object of an `array` class (`tuple`, `array`) with these items."""

    cls: Class
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Intrinsic(Expression):
    """An operation of the machine or with a fast path of its own; see `tree.intrinsics`."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conditional(Expression):
    """`then if test else otherwise`; `test` is a BOOL, the branches have the rep of the whole. `and`, `or`
    and comparison chains become this."""

    test: Expression
    then: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sequence(Expression):
    """Statements, then the value of the last expression: walrus, comprehensions, evaluate once."""

    statements: tuple[Statement, ...]
    result: Expression


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IsInstance(Expression):
    """BOOL: whether a value's class is one of these or below one."""

    subject: Expression
    classes: tuple[Class, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Narrow(Expression):
    """The same value seen as another type; no code."""

    subject: Expression


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Convert(Expression):
    """The same value in another rep: VALUE <-> BOOL (the Python bools only; truth of other values is a call),
    VALUE <-> FLOAT (a float in its box). FLOAT from VALUE needs a value that is a float."""

    subject: Expression
