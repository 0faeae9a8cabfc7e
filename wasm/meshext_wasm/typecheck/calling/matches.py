"""Groups of a match whose pattern is written out: those that are in every match are texts, never None.

    ROUTE = re.compile(r"/v(?P<version>\\d+)/(.*)")

    if (found := ROUTE.match(path)) is not None:
        version = int(found["version"])

Which pattern a match is of is read from the function: every place that gives the name a value has to be a
search with a pattern that is known, or None.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from meshext_wasm.scope.names import Function, bound_names, inside
from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.program import Global
from meshext_wasm.tree.types import ClassType, NoneType, TupleType, Type
from meshext_wasm.typecheck.expressions.names import resolve
from meshext_wasm.typecheck.meanings.groups import Groups, read_groups
from meshext_wasm.typecheck.meanings.making import class_type, is_failed, narrow
from meshext_wasm.typecheck.meanings.symbols import FunctionSymbol, Overloads
from meshext_wasm.typecheck.meanings.unions import join

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

MATCH = "re.match.Match"
SEARCHES = frozenset({"match", "search", "fullmatch", "finditer"})


def see_call(body: Body, node: ast.Call, subject: Expression, made: Expression) -> Expression:
    """`found.group(...)` and `found.groups()`."""
    assert isinstance(node.func, ast.Attribute)
    if is_failed(made) or node.keywords:
        return made
    if not is_match(subject):
        return see_pieces(body, node.func, made)
    match node.func.attr, node.args:
        case "group", [ast.Constant(value=group)]:
            return see_group(body, node.func.value, subject, group, made)
        case "groups", []:
            return see_groups(body, node.func.value, subject, made)
        case "groupdict", []:
            return see_names(body, node.func.value, subject, made)
    return made


def see_pieces(body: Body, function: ast.Attribute, made: Expression) -> Expression:
    """`PATTERN.split(...)` and `PATTERN.findall(...)`: the groups tell what the pieces are."""
    owner = resolve(body, function.value) if function.attr in ("split", "findall") else None
    groups = body.program.patterns.get(owner) if isinstance(owner, Global) else None
    if groups is None or (function.attr == "split" and groups.count):
        return made
    text = class_type(body.program, groups.text)
    many = function.attr == "findall" and groups.count > 1
    return narrow(made, class_type(body.program, "list", TupleType((text,) * groups.count) if many else text))


def see_names(body: Body, receiver: ast.expr, subject: Expression, made: Expression) -> Expression:
    """A dict of texts where every group that has a name is in every match."""
    patterns = patterns_of(body, receiver)
    if not patterns or not all(each.has(name) for each in patterns for name in each.names):
        return made
    text = text_of(subject)
    return narrow(made, class_type(body.program, "dict", class_type(body.program, "str"), text))


def see_item(body: Body, node: ast.Subscript, subject: Expression, made: Expression) -> Expression:
    """`found[group]`."""
    if is_failed(made) or not is_match(subject) or not isinstance(node.slice, ast.Constant):
        return made
    return see_group(body, node.value, subject, node.slice.value, made)


def see_group(
    body: Body, receiver: ast.expr, subject: Expression, group: object, made: Expression
) -> Expression:
    """A text where the group is in every match."""
    patterns = patterns_of(body, receiver)
    return narrow(made, text_of(subject)) if patterns and all(each.has(group) for each in patterns) else made


def see_groups(body: Body, receiver: ast.expr, subject: Expression, made: Expression) -> Expression:
    """A tuple of so many, each a text where its group is in every match."""
    patterns = patterns_of(body, receiver)
    if len({each.count for each in patterns}) != 1:
        return made
    text = text_of(subject)
    maybe = join(body.program, text, NoneType())
    numbers = range(1, patterns[0].count + 1)
    items = (text if all(each.has(number) for each in patterns) else maybe for number in numbers)
    return narrow(made, TupleType(tuple(items)))


def is_match(subject: Expression) -> bool:
    """Whether it is what a search found."""
    return isinstance(subject.type, ClassType) and subject.type.cls.symbol == MATCH


def text_of(match: Expression) -> Type:
    """What the text of a match is: str or bytes."""
    assert isinstance(match.type, ClassType)
    return match.type.arguments[0]


def patterns_of(body: Body, receiver: ast.expr) -> list[Groups]:
    """The patterns that a match may be of; none where one of them is not known."""
    own = body.own
    if own is None or not isinstance(receiver, ast.Name):
        return []
    if receiver.id not in own.bound or receiver.id in own.cells:
        return []
    values = [each for each in values_of(own.node, receiver.id) if not is_none(each)]
    found = [None if value is None else pattern_behind(body, value) for value in values]
    return [each for each in found if each is not None] if None not in found else []


def is_none(value: ast.expr | None) -> bool:
    """Whether `None` is written there."""
    return isinstance(value, ast.Constant) and value.value is None


def pattern_behind(body: Body, value: ast.expr) -> Groups | None:
    """The pattern of the search whose result is a name's value, or whose results a loop goes through."""
    if not isinstance(value, ast.Call):
        return None
    symbol = resolve(body, value.func)
    if isinstance(symbol, FunctionSymbol | Overloads):
        first = symbol.alternatives[0] if isinstance(symbol, Overloads) else symbol
        searches = first.function.symbol in {f"re.{name}" for name in SEARCHES}
        return read_groups(value, 2) if searches else None
    if isinstance(value.func, ast.Attribute) and value.func.attr in SEARCHES:
        owner = resolve(body, value.func.value)
        return body.program.patterns.get(owner) if isinstance(owner, Global) else None
    return None


def values_of(function: Function, name: str) -> Iterator[ast.expr | None]:
    """What a name of a function is given, place by place; None for a place that this does not see through."""
    if any(each.arg == name for each in ast.walk(function.args) if isinstance(each, ast.arg)):
        yield None
    body = [function.body] if isinstance(function, ast.Lambda) else function.body
    nodes = [part for top in body for part in inside(top)]
    told = dict(pair for node in nodes for pair in told_by(node))
    for node in nodes:
        if name in bound_names(node):
            yield told.get(node)


def told_by(node: ast.AST) -> Iterator[tuple[ast.AST, ast.expr]]:
    """Names to which a node gives a value that is written there."""
    match node:
        case (
            ast.Assign(targets=[ast.Name() as target], value=value)
            | ast.NamedExpr(target=target, value=value)
            | ast.AnnAssign(target=ast.Name() as target, value=ast.expr() as value)
        ):
            yield target, value
        case ast.For(target=ast.Name() as target, iter=ast.Call() as value) if iterates(value):
            yield target, value


def iterates(node: ast.Call) -> bool:
    """Whether it gives one match after the other."""
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name == "finditer"
