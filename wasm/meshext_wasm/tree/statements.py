"""Statements of the core language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshext_wasm.tree.expressions import Expression
    from meshext_wasm.tree.program import Class, Field, Global, Loc, Variable


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Statement:
    """Root: where it stands."""

    loc: Loc


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Assign(Statement):
    """Write a variable of this function or one that it captures."""

    variable: Variable
    value: Expression


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Renew(Statement):
    """A variable begins anew: where it is in a cell, functions made before keep the old one."""

    variable: Variable


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WriteGlobal(Statement):
    """Write a variable of a module."""

    variable: Global
    value: Expression


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WriteField(Statement):
    """Write a slot of an instance; the subject is evaluated after the value, as Python does."""

    subject: Expression
    field: Field
    value: Expression


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluate(Statement):
    """An expression for its effect."""

    value: Expression


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class If(Statement):
    """`test` is a BOOL."""

    test: Expression
    then: tuple[Statement, ...]
    otherwise: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loop(Statement):
    """While `test` (BOOL): `body`, then `step`, where `Continue` goes too. `otherwise` runs when the test
    ends the loop, not after `Break`."""

    test: Expression
    body: tuple[Statement, ...]
    step: tuple[Statement, ...] = ()
    otherwise: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Break(Statement):
    """Leave the innermost loop."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Continue(Statement):
    """The innermost loop's step, then its test."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Return(Statement):
    """Leave the function; None only where its result is NOTHING."""

    value: Expression | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Yield(Statement):
    """In a function that has `resuming`: leave the item in the generator, and go on here the next time."""

    value: Expression


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Raise(Statement):
    """Raise an exception instance. The frontend has set `__cause__` and `__context__` before. `again` is a
    bare `raise`: the traceback so far stays."""

    value: Expression
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Handler:
    """One `except`: the classes, the variable that gets the exception (always one), the statements."""

    loc: Loc
    classes: tuple[Class, ...]
    variable: Variable
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Try(Statement):
    """`try`, `except`, `else`, `finally`. Nothing of it runs for the end of the step budget."""

    body: tuple[Statement, ...]
    handlers: tuple[Handler, ...] = ()
    otherwise: tuple[Statement, ...] = ()
    final: tuple[Statement, ...] = ()
