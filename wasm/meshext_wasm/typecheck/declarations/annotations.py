"""From annotations to types."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Protocol

from meshext_wasm.tree.program import Loc
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
    TupleType,
    Type,
    TypeVariable,
    UnionType,
)
from meshext_wasm.typecheck.meanings.symbols import (
    AliasSymbol,
    ClassSymbol,
    MissingSymbol,
    Program,
    RawSymbol,
    SpecialSymbol,
    Symbol,
)
from meshext_wasm.typecheck.meanings.synthesis import Typed
from meshext_wasm.typecheck.meanings.unions import join

RAW = {"word": Rep.WORD, "wide": Rep.WIDE, "double": Rep.FLOAT}


class Place(Protocol):
    """Where an annotation stands: a module, a class, a function."""

    @property
    def program(self) -> Program:
        """Everything that is declared."""

    @property
    def owner(self) -> ClassSymbol | None:
        """The class that it stands in."""

    def symbol_of(self, node: ast.expr) -> Symbol | None:
        """What a dotted name means."""

    def report(self, node: ast.AST, reason: str, hint: str = "") -> None:
        """Refuse something."""

    def loc(self, node: ast.AST) -> Loc:
        """Where a node stands."""


def to_type(place: Place, node: ast.expr) -> Type:
    """The type that an annotation says; NeverType after a report."""
    match node:
        case Typed(type_=type_):
            return type_
        case ast.Constant(value=None):
            return NoneType()
        case ast.Constant(value=str(text)):
            return to_type(place, unquoted(node, text))
        case ast.Name() | ast.Attribute():
            return named(place, node, place.symbol_of(node))
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return join(place.program, to_type(place, left), to_type(place, right))
        case ast.Subscript():
            return subscripted(place, node)
    return refuse(place, node, "this is no type", "a class, `X | None`, list[X], dict[K, V], tuple[X, ...]")


def refuse(place: Place, node: ast.AST, reason: str, hint: str = "") -> Type:
    """Report it, and go on."""
    place.report(node, reason, hint)
    return NeverType()


def unquoted(node: ast.expr, text: str) -> ast.expr:
    """A quoted annotation, with the place of the quotes."""
    try:
        inner = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        return ast.copy_location(ast.Set([]), node)
    for each in ast.walk(inner):
        if isinstance(each, ast.expr):
            ast.copy_location(each, node)
    return inner


def named(place: Place, node: ast.expr, symbol: Symbol | None) -> Type:
    """A name that stands alone."""
    name = ast.unparse(node)
    match symbol:
        case ClassSymbol():
            return bare_class(place, node, symbol)
        case AliasSymbol(type=type_):
            return type_
        case MissingSymbol():
            return NeverType()
        case RawSymbol(name=raw):
            return raw_type(place, node, raw)
        case SpecialSymbol(name="Any"):
            return ObjectType(unknown=True)
        case SpecialSymbol(name="NoReturn" | "Never"):
            return NeverType()
        case SpecialSymbol(name="Self"):
            return own_type(place, node)
        case SpecialSymbol(name="Callable"):
            return refuse(place, node, "Callable does not say what it takes", "Callable[[X], Y]")
        case SpecialSymbol(name="type"):
            return ClassObjectType(None)
        case None:
            return refuse(place, node, f"{name} is not known here", "define it, or import it")
    return refuse(place, node, f"{name} is no type", "a class, or a name of a type")


def own_type(place: Place, node: ast.expr) -> Type:
    """`Self`: the class that it stands in; a Protocol's is what fits it, which only its classes know."""
    owner = place.owner
    if owner is None:
        return refuse(place, node, "Self stands outside of a class", "the class by its name")
    return ObjectType() if owner.protocol else ClassType(owner.cls, tuple(owner.parameters))


def raw_type(place: Place, node: ast.expr, name: str) -> Type:
    """A raw number of the library, or one of its builtin classes that programs do not name."""
    if name in RAW:
        return RawType(RAW[name])
    if name in ("array", "cell", "function"):
        found = place.program.builtins.get(name)
        assert isinstance(found, ClassSymbol)
        return ClassType(found.cls, tuple(ObjectType() for _ in found.parameters))
    return refuse(place, node, f"{name} is no type")


def bare_class(place: Place, node: ast.expr, symbol: ClassSymbol) -> Type:
    """A class without arguments."""
    program, name = place.program, symbol.cls.name
    if symbol is program.builtins.get("object"):
        return ObjectType()
    if symbol is program.builtins.get("NoneType"):
        return NoneType()
    if symbol is program.builtins.get("type"):
        return ClassObjectType(None)
    if symbol is program.builtins.get("float"):
        return join(program, ClassType(symbol.cls), ClassType(program.builtin_class("int")))
    if symbol.protocol:
        return protocol_type(place, node, symbol)
    if not symbol.parameters:
        return ClassType(symbol.cls)
    if symbol.cls.symbol.startswith("meshext."):
        return ClassType(symbol.cls, tuple(NoneType() for _ in symbol.parameters))
    if symbol.cls.symbol.startswith("builtins.") and getattr(place, "is_library", False):
        return ClassType(symbol.cls, tuple(ObjectType() for _ in symbol.parameters))
    inside = {"dict": "dict[str, int]", "tuple": "tuple[int, ...] or tuple[str, int]"}
    reason = f"{name} does not say what is in it"
    return refuse(place, node, reason, inside.get(name, f"{name}[str] for one of strings"))


def protocol_type(place: Place, node: ast.expr, symbol: ClassSymbol) -> Type:
    """Any of the program's classes that have what a Protocol asks for: all of them are known."""
    program = place.program
    wanted = all_names(program, symbol)
    found = [
        ClassType(each.cls)
        for each in program.classes.values()
        if not each.protocol and not each.parameters and wanted <= all_names(program, each)
    ]
    if not found or not wanted:
        words = f"no class of the program has what {symbol.cls.name} asks for"
        return refuse(place, node, words, f"a class with {', '.join(sorted(wanted)) or 'a method'}")
    return join(program, *found)


def all_names(program: Program, symbol: ClassSymbol) -> frozenset[str]:
    """The names of a class and of those above it."""
    base = program.classes.get(symbol.base.cls) if symbol.base is not None else None
    return symbol.names | (all_names(program, base) if base is not None else frozenset())


def subscripted(place: Place, node: ast.Subscript) -> Type:
    """`X[...]`."""
    symbol = place.symbol_of(node.value)
    parts = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    match symbol:
        case SpecialSymbol(name=name):
            return special(place, node, name, parts)
        case ClassSymbol() if symbol is place.program.builtins.get("tuple"):
            return tuple_type(place, parts)
        case ClassSymbol() if symbol is place.program.builtins.get("type"):
            return special(place, node, "type", parts)
        case RawSymbol(name="array"):
            found = place.program.builtins["array"]
            assert isinstance(found, ClassSymbol)
            return ClassType(found.cls, (to_type(place, parts[0]),))
        case ClassSymbol():
            return with_arguments(place, node, symbol, parts)
    return refuse(place, node.value, f"{ast.unparse(node.value)} takes no [...]", "a class with parameters")


def with_arguments(place: Place, node: ast.Subscript, symbol: ClassSymbol, parts: list[ast.expr]) -> Type:
    """A generic class with its arguments."""
    count = len(symbol.parameters)
    if len(parts) != count:
        name = symbol.cls.name
        wanted = "no [...]" if not count else f"{count} in [...], not {len(parts)}"
        return refuse(place, node, f"{name} takes {wanted}")
    return ClassType(symbol.cls, tuple(to_type(place, each) for each in parts))


def tuple_type(place: Place, parts: list[ast.expr]) -> Type:
    """`tuple[X, ...]`, `tuple[X, Y]`, `tuple[()]`."""
    if len(parts) == 2 and isinstance(parts[1], ast.Constant) and parts[1].value is Ellipsis:
        return ClassType(place.program.builtin_class("tuple"), (to_type(place, parts[0]),))
    if len(parts) == 1 and isinstance(parts[0], ast.Tuple) and not parts[0].elts:
        return TupleType(())
    return TupleType(tuple(to_type(place, each) for each in parts))


def special(place: Place, node: ast.Subscript, name: str, parts: list[ast.expr]) -> Type:
    """What `typing` has."""
    match name:
        case "Optional":
            return join(place.program, to_type(place, parts[0]), NoneType())
        case "Union":
            return join(place.program, *(to_type(place, each) for each in parts))
        case "Annotated":
            return annotated(place, *parts)
        case "Final" | "ClassVar":
            return to_type(place, parts[0])
        case "Literal":
            return join(place.program, *(literal(place, each) for each in parts))
        case "Callable":
            return callable_type(place, node, parts)
        case "type":
            inner = to_type(place, parts[0])
            return ClassObjectType(inner.cls if isinstance(inner, ClassType) else None)
    return refuse(place, node, f"{name}[...] is not in the language", "a class, a union, Callable, Literal")


def annotated(place: Place, first: ast.expr, *rest: ast.expr) -> Type:
    """`Annotated[X, ...]` is X; `Annotated[X | Y, Any]` is one of them that says Any to a type checker."""
    found = to_type(place, first)
    says_any = any(
        isinstance(each, ast.Name | ast.Attribute) and place.symbol_of(each) == SpecialSymbol("Any")
        for each in rest
    )
    return replace(found, loose=True) if says_any and isinstance(found, UnionType) else found


def literal(place: Place, node: ast.expr) -> Type:
    """One value of `Literal[...]`."""
    value: object = Ellipsis
    match node:
        case ast.Constant(value=value):
            pass
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(number))):
            value = -number
    if value is None:
        return NoneType()
    if isinstance(value, str | int | bytes):
        return LiteralType(value, ClassType(place.program.builtin_class(type(value).__name__)))
    return refuse(place, node, "Literal takes text, whole numbers, bytes, True, False, None", 'Literal["a"]')


def callable_type(place: Place, node: ast.Subscript, parts: list[ast.expr]) -> Type:
    """`Callable[[X, Y], Z]`."""
    if len(parts) != 2 or not isinstance(parts[0], ast.List):
        return refuse(place, node, "Callable has to say what it takes and gives", "Callable[[X], Y]")
    parameters = tuple(to_type(place, each) for each in parts[0].elts)
    return CallableType(parameters, to_type(place, parts[1]))


def says_alias(place: Place, annotation: ast.expr) -> bool:
    """Whether it is `TypeAlias`: what it stands at is another name of a type."""
    return place.symbol_of(annotation) == SpecialSymbol("TypeAlias")


def is_type_expression(place: Place, node: ast.expr) -> bool:
    """Whether the value of an assignment in a module makes it another name of a type."""
    match node:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return is_type_expression(place, left) and is_type_expression(place, right)
        case ast.Constant(value=None):
            return True
        case ast.Subscript(value=ast.Name() | ast.Attribute() as value):
            symbol = place.symbol_of(value)
            return isinstance(symbol, ClassSymbol | SpecialSymbol)
        case ast.Name() | ast.Attribute():
            symbol = place.symbol_of(node)
            if isinstance(symbol, SpecialSymbol):
                return symbol.name in ("Any", "NoReturn", "Never")
            return isinstance(symbol, ClassSymbol) or (
                isinstance(symbol, AliasSymbol) and not isinstance(symbol.type, TypeVariable)
            )
    return False
