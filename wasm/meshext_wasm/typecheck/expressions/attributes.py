"""Attributes of instances: fields, properties, variables of the class, methods as values."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression, ReadField, ReadGlobal
from meshext_wasm.tree.program import Field, Global
from meshext_wasm.tree.types import ClassObjectType, ClassType, ObjectType, RawType, Type, rep_of
from meshext_wasm.typecheck.calling import methods
from meshext_wasm.typecheck.meanings.conversions import tested_for
from meshext_wasm.typecheck.meanings.dispatch import check_expression
from meshext_wasm.typecheck.meanings.dispatching import over_union
from meshext_wasm.typecheck.meanings.generics import Bindings, substitute
from meshext_wasm.typecheck.meanings.making import call_known, class_type, constant, narrow, refuse
from meshext_wasm.typecheck.meanings.members_of_enums import is_enumeration
from meshext_wasm.typecheck.meanings.opening import check_open
from meshext_wasm.typecheck.meanings.refusals import ATTRIBUTES
from meshext_wasm.typecheck.meanings.symbols import (
    Binding,
    ClassSymbol,
    ConstantSymbol,
    FunctionSymbol,
    Overloads,
    Program,
    Symbol,
    find_field,
    find_member,
)
from meshext_wasm.typecheck.meanings.unions import (
    base_as,
    class_view,
    display,
    is_dynamic,
    is_loose,
    join,
    members_of,
    narrow_hint,
)

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body


def bindings_of(program: Program, view: ClassType, owner: ClassSymbol) -> Bindings:
    """What the parameters of a base class stand for in a class below it."""
    seen = base_as(program, view, owner.cls)
    names = [each.name for each in owner.parameters]
    return dict(zip(names, seen.arguments if seen else (), strict=False))


def read_attribute(body: Body, node: ast.AST, subject: Expression, name: str) -> Expression:
    """`subject.name`, whatever it is."""
    if isinstance(subject.type, RawType):
        return refuse(body, node, "a raw number has no attributes", "use the functions of raw")
    subject = with_attribute(body, node, subject, name)
    return over_union(body, node, subject, lambda one: _read_one(body, node, one, name))


def with_attribute(body: Body, node: ast.AST, subject: Expression, name: str) -> Expression:
    """What of a loose value, or one that is Any, has the attribute, AttributeError where it turns out to have
    none; any other value as it is."""
    if not is_dynamic(subject.type):
        return subject
    writes = name in methods.WRITING and not is_loose(subject.type)
    kinds = members_of(subject.type) if is_loose(subject.type) else plain_kinds(body.program, open_=writes)
    having = [each for each in kinds if has_attribute(body, each, name)]
    if not having:
        return unknown(body, node, subject.type, name)
    text = constant(body.program, subject.loc, name)

    def fail(kept: Expression) -> Expression:
        return call_known(body, subject.loc, "builtins.errors.unset_attribute", kept, text)

    wanted = join(body.program, *having)
    tested = tested_for(body, subject, wanted, having, fail)
    return check_open(body, tested, wanted, having) if writes else tested


def plain_kinds(program: Program, *, open_: bool) -> list[Type]:
    """What a value that is Any may be so that its attributes can be asked for; open containers, where they
    are written. Texts and bytes have the same methods, so those of `str` are meant."""
    unknown, text = ObjectType(unknown=True), ClassType(program.builtin_class("str"))
    if open_:
        pair = ClassType(program.builtin_class("dict"), (text, unknown))
        return [pair, ClassType(program.builtin_class("list"), (unknown,))]
    containers = [
        ClassType(program.builtin_class(name), (unknown,) * count, borrowed=True)
        for name, count in (("dict", 2), ("list", 1), ("set", 1))
    ]
    return [*containers, *(ClassType(program.builtin_class(name)) for name in ("str", "int", "float"))]


def has_attribute(body: Body, type_: Type, name: str) -> bool:
    """Whether every value of a type has it."""
    view = class_view(body.program, type_)
    if view is None:
        return False
    symbol = body.program.class_symbol(view.cls)
    if not is_visible(body, symbol, name):
        return False
    program = body.program
    return find_field(program, symbol, name) is not None or find_member(program, symbol, name) is not None


def _read_one(body: Body, node: ast.AST, subject: Expression, name: str) -> Expression:
    program = body.program
    if isinstance(subject.type, ClassObjectType):
        return _read_of_class(body, node, subject, name)
    view = class_view(program, subject.type)
    symbol = program.class_symbol(view.cls) if view else None
    if view is None or symbol is None or not is_visible(body, symbol, name):
        return unknown(body, node, subject.type, name)
    found = find_field(program, symbol, name)
    if found is not None:
        owner, slot = found
        type_ = substitute(slot.type, bindings_of(program, view, owner))
        return read_field(body, node, subject, owner, slot, type_)
    member = find_member(program, symbol, name)
    if member is None:
        return unknown(body, node, subject.type, name)
    return _read_member(body, node, subject, member, name)


def read_field(
    body: Body, node: ast.AST, subject: Expression, owner: ClassSymbol, slot: Field, type_: Type
) -> Expression:
    """A slot of an instance."""
    return ReadField(
        loc=body.loc(node),
        type=type_,
        rep=rep_of(type_),
        subject=subject,
        field=slot,
        checked=slot.name not in owner.settled,
    )


def is_visible(body: Body, symbol: ClassSymbol, name: str) -> bool:
    """Whether a program may use it: of a built-in class only what CPython's has too."""
    if body.module.name.partition(".")[0] == "builtins" or not symbol.cls.symbol.startswith("builtins."):
        return True
    original = getattr(builtins, symbol.cls.name, None)
    return not isinstance(original, type) or hasattr(original, name) or in_library(body)


def in_library(body: Body) -> bool:
    """Whether the function belongs to the run-time library."""
    return body.function.outside


def unknown(body: Body, node: ast.AST, type_: Type, name: str) -> Expression:
    """There is no such attribute."""
    known = ATTRIBUTES.get((display(type_).partition("[")[0], name))
    if known is not None:
        return refuse(body, node, *known)
    return refuse(
        body,
        node,
        f"{display(type_)} has no {name!r} here",
        narrow_hint("use an attribute that it has, or narrow it with isinstance", type_),
    )


def _read_member(body: Body, node: ast.AST, subject: Expression, member: Symbol, name: str) -> Expression:
    match member:
        case FunctionSymbol(binding=Binding.PROPERTY):
            return methods.call_found(body, node, member, subject, [])
        case FunctionSymbol(binding=Binding.METHOD) | Overloads():
            return methods.bound(body, node, member, subject)
    from meshext_wasm.tree.statements import Evaluate
    from meshext_wasm.typecheck.expressions.class_variables import own_below, read_own
    from meshext_wasm.typecheck.expressions.names import read_symbol
    from meshext_wasm.typecheck.meanings.making import is_simple, sequence

    owner = class_behind(body, subject.type)
    below = own_below(body.program, owner, name) if owner is not None else []
    if below:
        return read_own(body, node, subject, member, below)
    value = read_symbol(body, node, member)
    first = [] if is_simple(subject) else [Evaluate(loc=subject.loc, value=subject)]
    return sequence(list(first), value)


def class_behind(body: Body, type_: Type) -> ClassSymbol | None:
    """The class of the program that a value, or a class that is a value, is known to have."""
    view = type_ if isinstance(type_, ClassObjectType) else class_view(body.program, type_)
    return body.program.class_symbol(view.cls) if view is not None and view.cls is not None else None


def _read_of_class(body: Body, node: ast.AST, subject: Expression, name: str) -> Expression:
    """An attribute of a class that is a value: only what every class has."""
    from meshext_wasm.typecheck.meanings.making import call_known

    assert isinstance(subject.type, ClassObjectType)
    cls = subject.type.cls
    if name == "__name__":
        return call_known(body, body.loc(node), "builtins.objects.class_name", subject)
    symbol = body.program.class_symbol(cls) if cls else None
    member = find_member(body.program, symbol, name) if symbol else None
    if isinstance(member, Global | ConstantSymbol | ClassSymbol):
        return _read_member(body, node, subject, member, name)
    return unknown(body, node, subject.type, name)


def members_by_name(body: Body, node: ast.AST, owner: ClassSymbol) -> Expression:
    """`Color.__members__`: a mapping that nobody fills."""
    from meshext_wasm.typecheck.meanings.synthesis import Ready

    type_ = ClassType(owner.cls)

    def reading(member: Global) -> ast.expr:
        return Ready(lambda body: ReadGlobal(loc=body.loc(node), type=type_, variable=member))

    pairs = [
        (ast.copy_location(ast.Constant(name), node), ast.copy_location(reading(each), node))
        for name, each in owner.members.items()
        if isinstance(each, Global) and each.type == type_
    ]
    written = ast.Dict([key for key, _ in pairs], [value for _, value in pairs])
    types = class_type(body.program, "str"), type_
    wanted = class_type(body.program, "dict", *types)
    made = check_expression(body, ast.copy_location(written, node), wanted)
    return narrow(made, ClassType(body.program.known_class("Mapping"), types))


def read_class_attribute(body: Body, node: ast.AST, owner: ClassSymbol, name: str) -> Expression:
    """An attribute of a class by its name, which the class body does not have."""
    program, loc = body.program, body.loc(node)
    if name == "__name__":
        return constant(program, loc, owner.cls.name)
    if name == "__qualname__":
        return constant(program, loc, owner.cls.symbol.removeprefix(f"{body.module.name}."))
    if name == "__members__" and is_enumeration(owner.cls):
        return members_by_name(body, node, owner)
    return unknown(body, node, ClassObjectType(owner.cls), name)
