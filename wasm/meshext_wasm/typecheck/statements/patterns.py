"""Patterns of `match`: a test, and the names that it binds."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression, IsInstance
from meshext_wasm.tree.program import Class, Variable
from meshext_wasm.tree.statements import Assign
from meshext_wasm.tree.types import ClassType, Rep, TupleType, Type
from meshext_wasm.typecheck.calling import methods
from meshext_wasm.typecheck.expressions import displays
from meshext_wasm.typecheck.expressions.attributes import read_attribute
from meshext_wasm.typecheck.expressions.comparisons import compare, contains, order
from meshext_wasm.typecheck.expressions.subscripts import tuple_item
from meshext_wasm.typecheck.meanings.conversions import to_value
from meshext_wasm.typecheck.meanings.dispatch import check_expression
from meshext_wasm.typecheck.meanings.dispatching import merge
from meshext_wasm.typecheck.meanings.making import (
    class_type,
    conditional,
    constant,
    intrinsic,
    narrow,
    read,
    sequence,
    truth,
)
from meshext_wasm.typecheck.meanings.narrowing import with_class
from meshext_wasm.typecheck.meanings.plain_values import hides_plain
from meshext_wasm.typecheck.meanings.symbols import ClassSymbol
from meshext_wasm.typecheck.meanings.unions import base_as, display, join, make_union, members_of

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

SELF_MATCHING = frozenset("bool bytes dict float frozenset int list set str tuple".split())
Test = Callable[[], Expression]


def check_pattern(body: Body, pattern: ast.pattern, subject: Variable, type_: Type) -> Expression:
    """Whether the subject, which is of this type here, fits; its names are bound where it does."""
    value = narrow(read(body.loc(pattern), subject), type_)
    match pattern:
        case ast.MatchValue(value=node):
            return compare(body, pattern, ast.Eq(), value, check_expression(body, node, type_))
        case ast.MatchSingleton(value=single):
            fixed = constant(body.program, body.loc(pattern), single)
            return intrinsic(body.program, body.loc(pattern), "value.is", value, fixed)
        case ast.MatchAs(pattern=inner, name=name):
            return check_as(body, pattern, inner, name, subject, type_)
        case ast.MatchOr(patterns=parts):
            return check_or(body, pattern, parts, subject, type_)
        case ast.MatchClass():
            return check_class(body, pattern, subject, type_)
        case ast.MatchSequence(patterns=parts):
            return check_sequence(body, pattern, parts, subject, type_)
        case ast.MatchMapping():
            return check_mapping(body, pattern, subject, type_)
    body.report(pattern, "this pattern is not in the language", "if and isinstance")
    return truth(body.program, body.loc(pattern), False)


def always(body: Body, node: ast.AST) -> Expression:
    """A pattern that fits anything."""
    return truth(body.program, body.loc(node), True)


def both(body: Body, node: ast.AST, first: Expression, *rest: Test) -> Expression:
    """All of several tests, each one only where those before it held."""
    if not rest:
        return first
    with body.collect() as statements:
        second = both(body, node, rest[0](), *rest[1:])
    no = truth(body.program, body.loc(node), False)
    then = sequence(statements, second)
    return conditional(body.loc(node), first, then, no, class_type(body.program, "bool"))


def check_as(
    body: Body,
    node: ast.AST,
    inner: ast.pattern | None,
    name: str | None,
    subject: Variable,
    type_: Type,
) -> Expression:
    """`_`, a name, or `pattern as name`."""

    def bind() -> Expression:
        if name is not None:
            body.assign(name, node, narrow(read(body.loc(node), subject), bound_type(body, inner, type_)))
        return always(body, node)

    if inner is None:
        with body.collect() as statements:
            yes = bind()
        return sequence(statements, yes)
    return both(body, node, check_pattern(body, inner, subject, type_), bind)


def bound_type(body: Body, inner: ast.pattern | None, type_: Type) -> Type:
    """What the subject is where the inner pattern fits."""
    from meshext_wasm.typecheck.statements.matching import remaining

    return type_ if inner is None else remaining(body, type_, inner, truth=True)


def check_or(
    body: Body, node: ast.AST, parts: list[ast.pattern], subject: Variable, type_: Type
) -> Expression:
    """`a | b`."""
    first = check_pattern(body, parts[0], subject, type_)
    if len(parts) == 1:
        return first
    rest = check_or(body, node, parts[1:], subject, type_)
    yes = always(body, node)
    return conditional(body.loc(node), first, yes, rest, class_type(body.program, "bool"))


def part(body: Body, node: ast.AST, value: Expression, pattern: ast.pattern) -> Expression:
    """A pattern on a part of the subject."""
    held = body.temporary(".part", value.type)
    body.emit(Assign(loc=body.loc(node), variable=held, value=to_value(body, value, node)))
    return check_pattern(body, pattern, held, value.type)


def is_instance(body: Body, node: ast.AST, subject: Expression, *classes: Class) -> Expression:
    """BOOL: the class of the subject."""
    boolean = class_type(body.program, "bool")
    return IsInstance(loc=body.loc(node), type=boolean, rep=Rep.BOOL, subject=subject, classes=classes)


def narrowed(body: Body, type_: Type, classes: list[Class]) -> Type:
    """The members of a type that can be of one of the classes."""
    kept = [with_class(body, each, classes, True) for each in members_of(type_)]
    return make_union(member for each in kept if each is not None for member in members_of(each))


def check_class(body: Body, node: ast.MatchClass, subject: Variable, type_: Type) -> Expression:
    """`Class(a, name=b)`."""
    symbol = body.symbol_of(node.cls)
    if not isinstance(symbol, ClassSymbol):
        body.report(node.cls, "this is no class", "a class")
        return truth(body.program, body.loc(node), False)
    if hides_plain(body.program, type_, [symbol.cls]) is not None:
        words = f"{display(type_)} is kept apart from the {symbol.cls.name} that it is"
        body.report(node.cls, words, "its own class")
    value = read(body.loc(node), subject)
    test = is_instance(body, node, narrow(value, type_), symbol.cls)
    inside = narrowed(body, type_, [symbol.cls])
    names = positional_names(body, node, symbol)
    tests: list[Test] = []
    if names is None:
        inner = node.patterns[0]
        tests.append(lambda: check_pattern(body, inner, subject, inside))
        names = []
    pairs = [*zip(names, node.patterns, strict=False), *zip(node.kwd_attrs, node.kwd_patterns, strict=True)]
    for name, pattern in pairs:
        tests.append(attribute_test(body, node, narrow(value, inside), name, pattern))
    return both(body, node, test, *tests)


def attribute_test(body: Body, node: ast.AST, subject: Expression, name: str, pattern: ast.pattern) -> Test:
    """A pattern on an attribute."""
    return lambda: part(body, node, read_attribute(body, node, subject, name), pattern)


def positional_names(body: Body, node: ast.MatchClass, symbol: ClassSymbol) -> list[str] | None:
    """The attributes that positional patterns mean; None where the one means the subject itself."""
    if not node.patterns:
        return []
    name = symbol.cls.name
    if symbol.cls.symbol == f"builtins.{name}" and name in SELF_MATCHING and len(node.patterns) == 1:
        return None
    names = [each.name for each in symbol.cls.fields]
    if len(node.patterns) > len(names) or symbol.cls.symbol.startswith("builtins."):
        words = f"{name}() takes {len(names)} patterns by position"
        body.report(node, words, "the attributes by their names")
        return []
    return names[: len(node.patterns)]


def check_sequence(
    body: Body, node: ast.AST, parts: list[ast.pattern], subject: Variable, type_: Type
) -> Expression:
    """`[a, *rest]`: a list or tuple of that length."""
    program, loc = body.program, body.loc(node)
    classes = [program.builtin_class("list"), program.builtin_class("tuple")]
    if hides_plain(program, type_, classes) is not None:
        body.report(node, f"{display(type_)} is kept apart from the tuple that it is", "its own class")
    inside = narrowed(body, type_, classes)
    value = read(loc, subject)
    test = is_instance(body, node, narrow(value, type_), *classes)
    star = next((i for i, each in enumerate(parts) if isinstance(each, ast.MatchStar)), None)
    members = members_of(inside)
    if not members:
        return both(body, node, test, lambda: truth(program, loc, False))
    only = members[0] if len(members) == 1 else None
    if isinstance(only, TupleType) and star is None:
        if len(only.items) != len(parts):
            return truth(program, loc, False)
        seen = narrow(value, only)
        items = [item_test(body, node, tuple_item(body, node, seen, i), p) for i, p in enumerate(parts)]
        return both(body, node, test, *items)
    return both(body, node, test, lambda: check_items(body, node, parts, star, narrow(value, inside)))


def item_test(body: Body, node: ast.AST, item: Expression, pattern: ast.pattern) -> Test:
    """A pattern on an item."""
    return lambda: part(body, node, item, pattern)


def check_items(
    body: Body, node: ast.AST, parts: list[ast.pattern], star: int | None, value: Expression
) -> Expression:
    """Items of a list or tuple whose length is asked when it runs."""
    program, loc = body.program, body.loc(node)
    item = join(program, *(displays.iterated(body, each) for each in members_of(value.type)))
    whole = body.temporary(".items", class_type(program, "list", item))
    made = displays.make_filled(body, node, "list", [(value, True)], item)
    body.emit(Assign(loc=loc, variable=whole, value=made))
    held = read(loc, whole)
    length = methods.call_own(body, node, held, "__len__")
    least = constant(program, loc, len(parts) if star is None else len(parts) - 1)
    fits = order(body, node, "eq" if star is None else "ge", length, least)
    tests: list[Test] = []
    for number, pattern in enumerate(parts):
        if isinstance(pattern, ast.MatchStar):
            tests.append(rest_test(body, node, held, pattern, number, len(parts) - 1 - number))
            continue
        index = number if star is None or number < star else number - len(parts)
        place = constant(program, loc, index)
        found = methods.call_own(body, node, held, "__getitem__", place)
        tests.append(item_test(body, node, found, pattern))
    return both(body, node, fits, *tests)


def rest_test(
    body: Body, node: ast.AST, whole: Expression, pattern: ast.MatchStar, before: int, after: int
) -> Test:
    """`*name` in a sequence."""

    def bind() -> Expression:
        if pattern.name is not None:
            program, loc = body.program, body.loc(node)
            none = constant(program, loc, None)
            stop = constant(program, loc, -after) if after else none
            bounds = constant(program, loc, before), stop, none
            rest = methods.call_own(body, node, whole, "__getslice__", *bounds)
            body.assign(pattern.name, node, rest)
        return always(body, node)

    return bind


def check_mapping(body: Body, node: ast.MatchMapping, subject: Variable, type_: Type) -> Expression:
    """`{"key": pattern, **rest}`."""
    program, loc = body.program, body.loc(node)
    cls = program.builtin_class("dict")
    inside = narrowed(body, type_, [cls])
    value = read(loc, subject)
    test = is_instance(body, node, narrow(value, type_), cls)
    views = [base_as(program, each, cls) for each in members_of(inside) if isinstance(each, ClassType)]
    kinds = [each for each in views if each is not None]
    if not kinds:
        return both(body, node, test, lambda: truth(program, loc, False))
    whole: Type = kinds[0]
    for each in kinds[1:]:
        whole = merge(program, whole, each)
    if node.rest is not None:
        body.report(node, "**rest in a pattern is not compiled", "a copy of the dict without the keys")
    seen = narrow(value, whole)
    tests: list[Test] = []
    for key, pattern in zip(node.keys, node.patterns, strict=True):
        tests.append(key_test(body, node, seen, key))
        tests.append(value_test(body, node, seen, key, pattern))
    return both(body, node, test, *tests)


def key_test(body: Body, node: ast.AST, subject: Expression, key: ast.expr) -> Test:
    """Whether a key is there."""
    return lambda: contains(body, node, check_expression(body, key), subject)


def value_test(body: Body, node: ast.AST, subject: Expression, key: ast.expr, pattern: ast.pattern) -> Test:
    """A pattern on what stands under a key."""

    def look() -> Expression:
        found = methods.call_own(body, node, subject, "__getitem__", check_expression(body, key))
        return part(body, node, found, pattern)

    return look
