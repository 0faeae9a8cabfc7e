"""Make an expression fit where it stands: its type, and the way it stands in a register."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Call, Constant, Expression, IsInstance, MakeArray
from meshext_wasm.tree.statements import Evaluate, If
from meshext_wasm.tree.types import (
    CallableType,
    ClassObjectType,
    ClassType,
    LiteralType,
    NeverType,
    NoneType,
    ObjectType,
    RawType,
    Rep,
    Type,
    TypeVariable,
)
from meshext_wasm.typecheck.meanings import growth
from meshext_wasm.typecheck.meanings.making import (
    call_known,
    class_type,
    constant,
    convert,
    failed,
    is_failed,
    keep,
    narrow,
    refuse,
    sequence,
)
from meshext_wasm.typecheck.meanings.marking import widened
from meshext_wasm.typecheck.meanings.opening import (
    check_items,
    check_open,
    is_listed,
    openable,
    opened,
)
from meshext_wasm.typecheck.meanings.plain_values import plain, plain_fits
from meshext_wasm.typecheck.meanings.unions import (
    READ_ONLY,
    base_as,
    class_view,
    display,
    has_never,
    is_any,
    is_assignable,
    is_dynamic,
    is_loose,
    make_union,
    members_of,
)

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body
    from meshext_wasm.typecheck.meanings.symbols import Program


def to_rep(body: Body, expression: Expression, rep: Rep) -> Expression:
    """The same value in another rep; raw numbers have no other."""
    if expression.rep is Rep.NOTHING and rep is Rep.VALUE:
        return sequence(
            [Evaluate(loc=expression.loc, value=expression)], constant(body.program, expression.loc, None)
        )
    return convert(expression, rep)


def to_value(body: Body, expression: Expression, node: ast.AST) -> Expression:
    """A Python value in 64 bits."""
    if isinstance(expression.type, RawType):
        if expression.rep is Rep.FLOAT:
            boxed = ClassType(body.program.builtin_class("float"))
            return convert(narrow(expression, boxed), Rep.VALUE)
        name = display(expression.type)
        return refuse(body, node, f"a raw {name} is no Python value", "int(...) around it")
    if isinstance(expression, MakeArray) and any(isinstance(e.type, RawType) for e in expression.items):
        return refuse(body, node, "a raw number can not be in a tuple", "int(...) around it")
    return to_rep(body, expression, Rep.VALUE)


def to_type(body: Body, expression: Expression, wanted: Type, node: ast.AST) -> Expression:
    """The expression where this type is wanted, in the rep of that type; reported where it does not fit."""
    if is_failed(expression):
        return expression
    if isinstance(wanted, RawType):
        return _to_raw(body, expression, wanted, node)
    value = to_value(body, expression, node)
    growth.grow_to(body, value, wanted)
    if isinstance(value.type, ClassObjectType):
        from meshext_wasm.typecheck.calling.adapters import adapted

        value = adapted(body, node, value, wanted)
    value = without_marker(body, value, wanted)
    if is_failed(value) or is_assignable(body.program, value.type, wanted):
        return value
    if body.function.outside and is_vouched(body, value.type, wanted):
        return narrow(value, wanted)
    if isinstance(value, Constant) and fits_literal(value, wanted):
        return replace(value, type=wanted)
    if plain_fits(body.program, value.type, wanted):
        return plain(body, node, value)
    tested = widened(body, value, wanted) or test_unknown(body, value, wanted)
    if tested is not None:
        return tested
    if isinstance(value.type, CallableType) and isinstance(wanted, CallableType):
        from meshext_wasm.typecheck.calling.adapters import takes_anything

        taken = takes_anything(body, node, value, wanted)
        if taken is not None:
            return taken
    if is_listed(value.type, wanted):
        assert isinstance(wanted, ClassType)
        return check_items(body, value, wanted)
    reason = f"{describe(value)} stands where {display(wanted)} is wanted"
    follows = has_never(wanted) or has_never(value.type)
    body.report(node, reason, hint_for(value.type, wanted), follows=follows)
    return failed(body.loc(node))


def test_unknown(body: Body, value: Expression, wanted: Type) -> Expression | None:
    """What is Any, tested for the classes that are wanted; None where the type of it is known, or a test can
    not tell."""
    types = tested_types(body.program, value, wanted)
    if not types:
        looked = opened(body.program, value.type, wanted)
        return narrow(check_open(body, value, wanted, looked), wanted) if looked else None
    text = constant(body.program, value.loc, display(wanted))

    def fail(kept: Expression) -> Expression:
        return call_known(body, value.loc, "builtins.errors.unexpected_type", text, kept)

    tested = tested_for(body, value, wanted, types, fail)
    return tested if is_loose(value.type) else check_open(body, tested, wanted, types)


def tested_types(program: Program, value: Expression, wanted: Type) -> list[Type]:
    """What a value of unknown type is tested for, so that it may stand where a type is wanted; nothing where
    a look at its class does not tell all of that type."""
    if is_loose(value.type):
        return [each for each in members_of(value.type) if is_assignable(program, each, wanted)]
    unknown = any(isinstance(each, ObjectType) and each.unknown for each in members_of(value.type))
    plain = all(
        isinstance(each, NoneType)
        or (isinstance(each, ClassType) and is_flat(each))
        or openable(program, value.type, each)
        for each in members_of(wanted)
    )
    return list(members_of(wanted)) if plain and (unknown or is_power(value)) else []


def tested_for(
    body: Body, value: Expression, wanted: Type, types: list[Type], fail: Callable[[Expression], Expression]
) -> Expression:
    """A value that is one of these types, or what `fail` makes of any other."""
    from meshext_wasm.typecheck.meanings.dispatching import runtime_class

    loc, program = value.loc, body.program
    with body.collect() as statements:
        kept = keep(body, statements, value)
    classes = tuple(runtime_class(program, each) for each in types)
    boolean = class_type(program, "bool")
    test = IsInstance(loc=loc, type=boolean, rep=Rep.BOOL, subject=kept, classes=classes)
    raised = Evaluate(loc=loc, value=fail(kept))
    return sequence([*statements, If(loc=loc, test=test, then=(), otherwise=(raised,))], narrow(kept, wanted))


def is_power(value: Expression) -> bool:
    """Whether it is `int ** int`, an int unless the exponent is below zero."""
    return isinstance(value, Call) and value.function.symbol == "builtins.floats.number_pow"


def is_flat(type_: ClassType) -> bool:
    """Whether a look at the class of a value tells all of its type. It does not tell that somebody else knows
    a container as one of narrower items, so one that can be written is none."""
    if type_.arguments and not (type_.borrowed or type_.cls.name in READ_ONLY):
        return False
    return all(isinstance(each, ObjectType) for each in type_.arguments)


def without_marker(body: Body, value: Expression, wanted: Type) -> Expression:
    """NotImplemented may stand where a comparison gives its bool: who compares asks for it."""
    if wanted != class_type(body.program, "bool"):
        return value
    rest = [each for each in members_of(value.type) if display(each) != "NotImplementedType"]
    if len(rest) == len(members_of(value.type)):
        return value
    return narrow(value, make_union(rest) if rest else wanted)


def is_vouched(body: Body, given: Type, wanted: Type) -> bool:
    """Whether only the types of items differ: the library answers for those itself."""
    if any(isinstance(each, TypeVariable) for each in members_of(wanted)):
        return True
    view = class_view(body.program, given)
    return (
        view is not None
        and isinstance(wanted, ClassType)
        and base_as(body.program, view, wanted.cls) is not None
    )


def fits_literal(value: Constant, wanted: Type) -> bool:
    """Whether a literal is one of those that the type names."""
    return any(
        isinstance(each, LiteralType) and each.value == value.value and type(each.value) is type(value.value)
        for each in members_of(wanted)
    )


def describe(expression: Expression) -> str:
    """What it is, in words."""
    if isinstance(expression.type, NoneType):
        return "None"
    return f"a value of type {display(expression.type)}"


def hint_for(given: Type, wanted: Type) -> str:
    """What to write instead."""
    if is_dynamic(given) and isinstance(wanted, ClassType) and wanted.cls.name in ("list", "dict", "set"):
        return f"a copy, whose items are tested: {wanted.cls.name}(...)"
    if is_dynamic(given):
        return f"test it with isinstance, and make a {display(wanted)} of items that are tested too"
    if any(isinstance(each, NoneType) for each in members_of(given)):
        return "test it first: `if x is not None:`"
    if isinstance(given, ClassType) and given.borrowed:
        return f"a copy of it, as others may hold it too: {given.cls.name}(...)"
    if isinstance(given, ClassType) and isinstance(wanted, ClassType) and given.cls is wanted.cls:
        if any(map(is_any, wanted.arguments)):
            return "Mapping or Sequence in place of dict or list where it is only read, or a copy"
        if given.cls.name in READ_ONLY:
            return f"make a {display(wanted)} of items that are tested, or annotate it so"
        return f"its items may change, so they have to be the same: annotate it {display(wanted)}"
    return f"give it a {display(wanted)}, or annotate it otherwise"


def _to_raw(body: Body, expression: Expression, wanted: RawType, node: ast.AST) -> Expression:
    if expression.type == wanted:
        return expression
    if isinstance(expression.type, NeverType):
        return failed(expression.loc)
    if wanted.rep is Rep.FLOAT and expression.rep is Rep.FLOAT:
        return narrow(expression, wanted)
    if isinstance(expression, Constant) and isinstance(expression.value, int | float):
        return raw_literal(expression, wanted)
    if wanted.rep is Rep.FLOAT and expression.type == class_type(body.program, "float"):
        return narrow(convert(expression, Rep.FLOAT), wanted)
    name = display(wanted)
    return refuse(body, node, f"{describe(expression)} is no raw {name}", f"{name}(...) around it")


def raw_literal(expression: Constant, wanted: RawType) -> Constant:
    """A number of the program as a machine number; two's complement below zero."""
    value = expression.value
    assert isinstance(value, int | float)
    if wanted.rep is Rep.FLOAT:
        return Constant(loc=expression.loc, type=wanted, rep=wanted.rep, value=float(value))
    bits = 32 if wanted.rep is Rep.WORD else 64
    return Constant(loc=expression.loc, type=wanted, rep=wanted.rep, value=int(value) & ((1 << bits) - 1))
