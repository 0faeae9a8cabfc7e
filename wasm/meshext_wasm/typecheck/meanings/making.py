"""Short ways to write tree expressions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.diagnostics.diagnostic import Diagnostic
from meshext_wasm.tree.expressions import (
    Call,
    Conditional,
    Constant,
    Convert,
    Expression,
    Intrinsic,
    Literal,
    Local,
    Narrow,
    Sequence,
)
from meshext_wasm.tree.intrinsics import OPERATIONS
from meshext_wasm.tree.program import Loc, Variable
from meshext_wasm.tree.statements import Assign, Statement
from meshext_wasm.tree.types import (
    ClassType,
    NeverType,
    NoneType,
    ObjectType,
    RawType,
    Rep,
    TupleType,
    Type,
    UnionType,
)
from meshext_wasm.typecheck.meanings.symbols import Program

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

WORD = RawType(Rep.WORD)
WIDE = RawType(Rep.WIDE)
DOUBLE = RawType(Rep.FLOAT)


def class_type(program: Program, name: str, *arguments: Type) -> ClassType:
    """An instance of a built-in class."""
    return ClassType(program.builtin_class(name), arguments)


def constant(program: Program, loc: Loc, value: Literal) -> Constant:
    """A literal with its class as type."""
    type_: Type = NoneType() if value is None else class_type(program, type(value).__name__)
    return Constant(loc=loc, type=type_, value=value)


def raw_constant(loc: Loc, value: int, rep: Rep = Rep.WORD) -> Constant:
    """A machine number."""
    return Constant(loc=loc, type=RawType(rep), rep=rep, value=value)


def intrinsic(
    program: Program, loc: Loc, name: str, *arguments: Expression, type_: Type | None = None
) -> Expression:
    """An operation; its type is what its rep says, unless one is given."""
    gives = OPERATIONS[name].gives
    if type_ is None:
        type_ = _type_of_rep(program, gives)
    return Intrinsic(loc=loc, type=type_, rep=gives, name=name, arguments=arguments)


def _type_of_rep(program: Program, rep: Rep) -> Type:
    match rep:
        case Rep.BOOL:
            return class_type(program, "bool")
        case Rep.FLOAT:
            return class_type(program, "float")
        case Rep.NOTHING:
            return NoneType()
        case Rep.VALUE:
            return class_type(program, "int")
    return RawType(rep)


def call_known(body: Body, loc: Loc, symbol: str, *arguments: Expression) -> Expression:
    """Call a function that the compiler knows by name; arguments are already what it takes."""
    found = body.program.find_known(symbol)
    if found is None:
        body.rounds.reports.append(Diagnostic(loc, f"the library has no {symbol}", "something without it"))
        return failed(loc)
    result = found.signature.result
    return Call(loc=loc, type=result, rep=found.function.result, function=found.function, arguments=arguments)


def failed(loc: Loc) -> Expression:
    """What stands for an expression that was refused, so that the check goes on."""
    return Constant(loc=loc, type=NeverType(), value=None)


def is_failed(expression: Expression) -> bool:
    """Whether an expression was refused before."""
    return isinstance(expression, Constant) and isinstance(expression.type, NeverType)


def refuse(body: Body, node: ast.AST, reason: str, hint: str) -> Expression:
    """Report it, and go on."""
    body.report(node, reason, hint)
    return failed(body.loc(node))


def read(loc: Loc, variable: Variable, type_: Type | None = None) -> Expression:
    """Read a variable."""
    return Local(loc=loc, type=type_ or variable.type, rep=variable.rep, variable=variable)


def any_parts(type_: Type) -> tuple[bool, ...]:
    """Which parts of a type are `Any`, as equality does not tell it from `object`."""
    match type_:
        case ObjectType(unknown):
            return (unknown,)
        case ClassType(arguments=inner) | TupleType(items=inner):
            return tuple(each for part in inner for each in any_parts(part))
        case UnionType(items, loose):
            return (loose, *(each for part in items for each in any_parts(part)))
    return ()


def narrow(expression: Expression, type_: Type) -> Expression:
    """The same value seen as another type."""
    if expression.type == type_ and any_parts(expression.type) == any_parts(type_):
        return expression
    return Narrow(loc=expression.loc, type=type_, rep=expression.rep, subject=expression)


def convert(expression: Expression, rep: Rep) -> Expression:
    """The same value in another rep."""
    if expression.rep == rep:
        return expression
    return Convert(loc=expression.loc, type=expression.type, rep=rep, subject=expression)


def negate(program: Program, expression: Expression) -> Expression:
    """`not` of a BOOL."""
    return intrinsic(program, expression.loc, "bool.not", expression)


def conditional(
    loc: Loc, test: Expression, then: Expression, otherwise: Expression, type_: Type
) -> Expression:
    """One of two of the same rep."""
    return Conditional(loc=loc, type=type_, rep=then.rep, test=test, then=then, otherwise=otherwise)


def truth(program: Program, loc: Loc, value: bool) -> Expression:
    """True or False as BOOL."""
    return convert(constant(program, loc, value), Rep.BOOL)


def sequence(statements: list[Statement], result: Expression) -> Expression:
    """Statements first, where there are any."""
    if not statements:
        return result
    return Sequence(
        loc=result.loc, type=result.type, rep=result.rep, statements=tuple(statements), result=result
    )


def is_simple(expression: Expression) -> bool:
    """Whether evaluating it twice, or later, makes no difference: literals, and temporaries."""
    match expression:
        case Constant():
            return True
        case Narrow(subject=subject) | Convert(subject=subject):
            return is_simple(subject)
        case Local(variable=variable):
            return variable.name.startswith(".")
    return False


def keep(body: Body, statements: list[Statement], expression: Expression) -> Expression:
    """Evaluate now, use as often as needed: a temporary, unless it is simple."""
    if is_simple(expression) or is_failed(expression):
        return expression
    variable = body.temporary(".value", expression.type, expression.rep)
    statements.append(Assign(loc=expression.loc, variable=variable, value=expression))
    return read(expression.loc, variable)
