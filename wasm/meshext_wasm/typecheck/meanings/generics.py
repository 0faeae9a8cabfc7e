"""Type parameters: put types in their place, and find them from arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from meshext_wasm.tree.types import (
    CallableType,
    ClassType,
    NeverType,
    TupleType,
    Type,
    TypeVariable,
    UnionType,
)

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.symbols import Program

Bindings = dict[str, Type]


def rebuild(type_: Type, change: Callable[[TypeVariable], Type]) -> Type:
    """A type with every type parameter replaced."""
    match type_:
        case TypeVariable():
            return change(type_)
        case ClassType(cls, arguments, borrowed):
            if not arguments:
                return type_
            return ClassType(cls, tuple([rebuild(each, change) for each in arguments]), borrowed)
        case TupleType(items):
            return TupleType(tuple(rebuild(each, change) for each in items))
        case UnionType(items):
            from meshext_wasm.typecheck.meanings.unions import as_loose, is_any, make_union, members_of

            changed = [rebuild(each, change) for each in items]
            unknown = next((each for each in changed if is_any(each)), None)
            if unknown is not None:
                return unknown
            return as_loose(make_union(each for whole in changed for each in members_of(whole)), type_)
        case CallableType(parameters, result):
            return CallableType(tuple(rebuild(each, change) for each in parameters), rebuild(result, change))
    return type_


def substitute(type_: Type, bindings: Bindings) -> Type:
    """A type with the parameters that are known replaced; others stay."""
    if not bindings:
        return type_
    return rebuild(type_, lambda variable: bindings.get(variable.name, variable))


def solve(type_: Type, bindings: Bindings, own: frozenset[str]) -> Type:
    """A type with every one of `own` replaced; what no argument told is NeverType."""
    return rebuild(
        type_,
        lambda variable: bindings.get(variable.name, NeverType() if variable.name in own else variable),
    )


def variables_of(type_: Type) -> frozenset[str]:
    """The names of the type parameters in a type."""
    found: set[str] = set()

    def note(variable: TypeVariable) -> Type:
        found.add(variable.name)
        return variable

    rebuild(type_, note)
    return frozenset(found)


def unify(program: Program, parameter: Type, argument: Type, bindings: Bindings) -> None:
    """Learn type parameters from an argument; what does not fit is found by the check of assignability."""
    from meshext_wasm.typecheck.meanings.unions import base_as, class_view, join, loosen, members_of

    match parameter:
        case TypeVariable(name):
            argument = loosen(program, argument)
            known = bindings.get(name)
            bindings[name] = join(program, known, argument) if known is not None else argument
        case UnionType(items):
            unify_union(program, items, argument, bindings)
        case TupleType(items) if isinstance(argument, TupleType) and len(items) == len(argument.items):
            for inner, given in zip(items, argument.items, strict=True):
                unify(program, inner, given, bindings)
        case CallableType(_, result) if isinstance(argument, CallableType):
            unify(program, result, argument.result, bindings)
            for inner, given in zip(parameter.parameters, argument.parameters, strict=False):
                if isinstance(inner, TypeVariable) and inner.name not in bindings:
                    bindings[inner.name] = given
        case ClassType(cls, arguments) if arguments:
            for member in members_of(argument):
                view = class_view(program, member)
                seen = base_as(program, view, cls) if view else None
                for inner, given in zip(arguments, seen.arguments if seen else (), strict=False):
                    unify(program, inner, given, bindings)


def unify_union(program: Program, items: tuple[Type, ...], argument: Type, bindings: Bindings) -> None:
    """Members of an argument go to the item of their own kind; a bare parameter takes what is left."""
    from meshext_wasm.typecheck.meanings.unions import join, members_of

    bare = [each for each in items if isinstance(each, TypeVariable)]
    shaped = [each for each in items if each not in bare and variables_of(each)]
    plain = [each for each in items if not variables_of(each)]
    rest = [each for each in members_of(argument) if each not in plain]
    for item in shaped:
        same = [each for each in rest if is_alike(each, item)] if bare else rest
        rest = [each for each in rest if each not in same] if bare else rest
        if same:
            unify(program, item, join(program, *same), bindings)
    for item in bare:
        if rest:
            unify(program, item, join(program, *rest), bindings)


def is_alike(left: Type, right: Type) -> bool:
    """Whether two types are both functions, or instances of one class."""
    if isinstance(left, ClassType) and isinstance(right, ClassType):
        return left.cls is right.cls
    return type(left) is type(right)
