"""How types relate: what may stand for what, what two branches have in common, and how a type is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from meshext_wasm.tree.types import (
    CallableType,
    ClassObjectType,
    ClassType,
    LiteralType,
    NeverType,
    NoneType,
    ObjectType,
    RawType,
    TupleType,
    Type,
    TypeVariable,
    UnionType,
)
from meshext_wasm.typecheck.meanings.generics import substitute
from meshext_wasm.typecheck.meanings.symbols import Program

NEVER = NeverType()
NONE = NoneType()
OBJECT = ObjectType()
READ_ONLY = frozenset(
    "Iterable Iterator Collection Sequence Set Mapping tuple frozenset Reversible Awaitable".split()
)
RAW_NAMES = {"word": "word", "wide": "wide", "float": "double", "bool": "bool"}


def members_of(type_: Type) -> tuple[Type, ...]:
    """The types of a union, or the one type."""
    if isinstance(type_, NeverType):
        return ()
    return type_.items if isinstance(type_, UnionType) else (type_,)


def alternatives_of(type_: Type) -> tuple[Type, ...]:
    """The same, a type parameter that is one of several taken for those."""
    found: list[Type] = []
    for each in members_of(type_):
        bound = each.bound if isinstance(each, TypeVariable) else None
        found.extend(bound.items if isinstance(bound, UnionType) else [each])
    return tuple(found)


def base_as(program: Program, type_: ClassType, above: object) -> ClassType | None:
    """A class type as its base `above` sees it, arguments included; None where it is no base."""
    current: ClassType | None = type_
    while current is not None and current.cls is not above:
        symbol = program.class_symbol(current.cls)
        names = [each.name for each in symbol.parameters]
        bindings = dict(zip(names, current.arguments, strict=False))
        parent = substitute(symbol.base, bindings) if symbol.base else None
        current = parent if isinstance(parent, ClassType) else None
    if type_.borrowed and current is not None and current.arguments:
        return replace(current, borrowed=True)
    return current


def class_view(program: Program, type_: Type) -> ClassType | None:
    """The class type behind tuples, literals and bounds; None for what has no one class."""
    match type_:
        case ClassType():
            return type_
        case LiteralType():
            return type_.base
        case TupleType(items):
            return ClassType(program.builtin_class("tuple"), (join(program, *items),))
        case TypeVariable(bound=bound) if bound is not None:
            return class_view(program, bound)
        case ObjectType() | TypeVariable():
            return ClassType(program.builtin_class("object"))
        case NoneType():
            return ClassType(program.builtin_class("NoneType"))
    return None


def is_assignable(program: Program, source: Type, target: Type) -> bool:
    """Whether a value of one type may stand where the other is wanted."""
    if source == target or isinstance(source, NeverType):
        return True
    if isinstance(source, RawType) or isinstance(target, RawType):
        return False
    if isinstance(source, TypeVariable) and source.bound is not None and source not in members_of(target):
        return is_assignable(program, source.bound, target)
    if isinstance(source, UnionType):
        return all(is_assignable(program, each, target) for each in source.items)
    match target:
        case ObjectType():
            return True
        case UnionType(items):
            return any(is_assignable(program, source, each) for each in items)
        case TupleType(items):
            return (
                isinstance(source, TupleType)
                and len(source.items) == len(items)
                and all(is_assignable(program, a, b) for a, b in zip(source.items, items, strict=True))
            )
        case CallableType():
            return isinstance(source, CallableType) and _callable_fits(program, source, target)
        case ClassObjectType(wanted):
            return isinstance(source, ClassObjectType) and (
                wanted is None or (source.cls is not None and _is_below(source.cls, wanted))
            )
        case ClassType():
            view = class_view(program, source)
            return view is not None and _class_fits(program, view, target)
    return False


def _is_below(cls: object, wanted: object) -> bool:
    current = cls
    while current is not None:
        if current is wanted:
            return True
        current = getattr(current, "base", None)
    return False


def _callable_fits(program: Program, source: CallableType, target: CallableType) -> bool:
    return (
        len(source.parameters) == len(target.parameters)
        and all(
            is_assignable(program, wanted, given)
            for given, wanted in zip(source.parameters, target.parameters, strict=True)
        )
        and is_assignable(program, source.result, target.result)
    )


def _class_fits(program: Program, source: ClassType, target: ClassType) -> bool:
    seen = base_as(program, source, target.cls)
    if seen is None:
        return False
    if target.cls.name in READ_ONLY or target.borrowed:
        return all(
            is_assignable(program, a, b) for a, b in zip(seen.arguments, target.arguments, strict=False)
        )
    if seen.borrowed and not target.borrowed:
        return False
    return all(
        same_item(a, b) or isinstance(a, NeverType) or _grows(a, b) or _is_open(target, b)
        for a, b in zip(seen.arguments, target.arguments, strict=False)
    )


def _is_open(target: ClassType, argument: Type) -> bool:
    """Whether it is the `State` of a message of any filter, which nobody writes then."""
    return is_any(argument) and target.cls.symbol.startswith("meshext.")


def same_item(left: Type, right: Type) -> bool:
    """Whether items of both types are the same; unknown ones are objects."""
    return left == right or (isinstance(left, ObjectType) and isinstance(right, ObjectType))


def _grows(inner: Type, outer: Type) -> bool:
    """Whether an item's type still has empty parts that take the other's: list[list[Never]]."""
    return (
        isinstance(inner, ClassType)
        and isinstance(outer, ClassType)
        and inner.cls is outer.cls
        and all(
            same_item(a, b) or isinstance(a, NeverType) or _grows(a, b)
            for a, b in zip(inner.arguments, outer.arguments, strict=False)
        )
    )


def has_never(type_: Type) -> bool:
    """Whether something in it is a type that no value has: nothing is known of it."""
    match type_:
        case NeverType():
            return True
        case ClassType(arguments=inner) | TupleType(items=inner) | UnionType(items=inner):
            return any(map(has_never, inner))
        case CallableType(parameters=inner, result=result):
            return any(map(has_never, (*inner, result)))
    return False


def join(program: Program, *types: Type) -> Type:
    """The smallest type that takes all of them; NeverType for none."""
    if types and isinstance(types[0], ClassType) and all(each is types[0] for each in types):
        return types[0]
    kept: list[Type] = []
    for type_ in [each for whole in types for each in members_of(whole)]:
        _add(program, kept, type_)
    return as_loose(make_union(kept), *types)


def as_loose(made: Type, *sources: Type) -> Type:
    """A union that is made of others, as loose as the loosest."""
    loose = isinstance(made, UnionType) and any(map(is_loose, sources))
    return replace(made, loose=True) if isinstance(made, UnionType) and loose else made


def is_loose(type_: Type) -> bool:
    """Whether a value may stand where one of its types is wanted: a type checker takes it for Any."""
    return isinstance(type_, UnionType) and type_.loose


def _add(program: Program, kept: list[Type], new: Type) -> None:
    if any(is_assignable(program, new, each) for each in kept):
        return
    for index, old in enumerate(kept):
        if is_assignable(program, old, new):
            kept[index] = new
            kept[:] = [e for e in kept if e is new or not is_assignable(program, e, new)]
            return
        if isinstance(old, TupleType) and isinstance(new, TupleType):
            kept[index] = _join_tuples(program, old, new)
            return
    kept.append(new)


def _join_tuples(program: Program, left: TupleType, right: TupleType) -> Type:
    if len(left.items) == len(right.items):
        pairs = zip(left.items, right.items, strict=True)
        return TupleType(tuple(join(program, a, b) for a, b in pairs))
    return ClassType(program.builtin_class("tuple"), (join(program, *left.items, *right.items),))


def make_union(types: Iterable[Type]) -> Type:
    """A union in an order of its own, so that equal unions are equal."""
    items = sorted(dict.fromkeys(types), key=lambda each: (isinstance(each, NoneType), display(each)))
    if not items:
        return NEVER
    return items[0] if len(items) == 1 else UnionType(tuple(items))


def without_none(type_: Type) -> Type:
    """What is left when None was excluded."""
    return make_union(each for each in members_of(type_) if not isinstance(each, NoneType))


def has_none(type_: Type) -> bool:
    """Whether a value may be None as far as the type says."""
    return any(isinstance(each, NoneType) for each in members_of(type_))


def is_any(type_: Type) -> bool:
    """Whether nothing is known of a value."""
    return isinstance(type_, ObjectType) and type_.unknown


def is_dynamic(type_: Type) -> bool:
    """Whether a value is asked what it is when something is done with it."""
    return is_any(type_) or is_loose(type_)


def narrow_hint(otherwise: str, *types: Type) -> str:
    """What to write for an operation that one of these types does not have: of Any, what it is."""
    if not any(map(is_dynamic, types)):
        return otherwise
    return "say first what it is: `x: str = ...`, which is tested, or isinstance"


def widen(type_: Type) -> Type:
    """A literal's class; other types as they are."""
    return type_.base if isinstance(type_, LiteralType) else type_


def loosen(program: Program, type_: Type) -> Type:
    """The type of items that a value tells: a literal's class, and `float` as annotations mean it, so that a
    list that is inferred is the one that is annotated."""
    match type_:
        case LiteralType():
            return type_.base
        case TupleType(items):
            return TupleType(tuple(loosen(program, each) for each in items))
        case UnionType(items):
            return join(program, *(loosen(program, each) for each in items))
        case ClassType(cls) if cls is program.builtin_class("float"):
            return join(program, type_, ClassType(program.builtin_class("int")))
    return type_


def display(type_: Type) -> str:
    """A type as an annotation would say it."""
    match type_:
        case RawType(rep):
            return RAW_NAMES.get(rep.value, rep.value)
        case ClassType(cls, arguments):
            name = cls.name
            if name == "tuple" and arguments:
                return f"tuple[{display(arguments[0])}, ...]"
            return f"{name}[{', '.join(map(display, arguments))}]" if arguments else name
        case TupleType(items):
            return f"tuple[{', '.join(map(display, items)) or '()'}]"
        case LiteralType(value):
            return f"Literal[{value!r}]"
        case NoneType():
            return "None"
        case ObjectType(unknown):
            return "Any" if unknown else "object"
        case NeverType():
            return "Never"
        case UnionType(items, loose):
            return "Any" if loose else _display_union(items)
        case CallableType(parameters, result):
            return f"Callable[[{', '.join(map(display, parameters))}], {display(result)}]"
        case ClassObjectType(cls):
            return f"type[{cls.name}]" if cls else "type"
        case TypeVariable(name):
            return name
    return type(type_).__name__


def _display_union(items: tuple[Type, ...]) -> str:
    names = [display(each) for each in items]
    if "float" in names and "int" in names:  # what the annotation `float` means
        names.remove("int")
    return " | ".join(names)
