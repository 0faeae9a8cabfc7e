"""Displays: lists, tuples, sets and dicts that are written out, with `*` and `**` in them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression, MakeArray
from meshext_wasm.tree.program import Class
from meshext_wasm.tree.statements import Assign, Evaluate, Statement
from meshext_wasm.tree.types import ClassType, RawType, TupleType, Type
from meshext_wasm.typecheck.meanings import growth
from meshext_wasm.typecheck.meanings.conversions import to_type, to_value
from meshext_wasm.typecheck.meanings.dispatch import check_expression, check_value
from meshext_wasm.typecheck.meanings.making import (
    call_known,
    class_type,
    constant,
    failed,
    is_failed,
    narrow,
    read,
    sequence,
)
from meshext_wasm.typecheck.meanings.marking import as_open
from meshext_wasm.typecheck.meanings.opening import is_told
from meshext_wasm.typecheck.meanings.plain_values import as_iterable
from meshext_wasm.typecheck.meanings.unions import base_as, class_view, is_any, join, loosen, members_of

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

ABOVE = {
    "list": ("list", "Sequence", "Collection", "Iterable"),
    "set": ("set", "Set", "Collection", "Iterable"),
    "dict": ("dict", "Mapping"),
}
Part = tuple[Expression, bool]


def wanted_items(name: str, expected: Type | None) -> tuple[Type, ...] | None:
    """What the items of a display have to be where a container type is expected."""
    if expected is None or isinstance(expected, RawType):
        return None
    for each in members_of(expected):
        if isinstance(each, ClassType) and each.cls.name in ABOVE[name] and each.arguments:
            return each.arguments
    return (expected,) if is_any(expected) and name == "list" else None


def make_array(body: Body, node: ast.AST, items: list[Expression], item: Type) -> Expression:
    """A raw array of values, for the library to make something of."""
    cls = body.program.builtin_class("array")
    return MakeArray(loc=body.loc(node), type=ClassType(cls, (item,)), cls=cls, items=tuple(items))


def make_empty(body: Body, node: ast.AST, name: str, expected: Type | None) -> Expression:
    """`[]`, `{}`, `list()` and so on; what is put in later tells the types of the items."""
    count = 2 if name == "dict" else 1
    wanted = wanted_items(name, expected)
    if wanted is None and name == "dict" and expected is not None and is_any(expected):
        wanted = class_type(body.program, "str"), expected
    types = wanted or body.empty_item(node, count)
    type_ = class_type(body.program, name, *types)
    made = as_open(body, narrow(make_container(body, node, name, [], types[0]), type_))
    return made if wanted else growth.mark(body, made, node)


def make_container(body: Body, node: ast.AST, name: str, items: list[Expression], item: Type) -> Expression:
    """A list or set of these items, or an empty dict."""
    loc = body.loc(node)
    if name == "dict":
        return call_known(body, loc, "builtins.dicts.new")
    array = make_array(body, node, items, item)
    made = call_known(body, loc, f"builtins.{name}s.from_array", array)
    return narrow(made, class_type(body.program, name, item))


def build_list(body: Body, node: ast.expr, expected: Type | None) -> Expression:
    """`[a, b, *c]`."""
    assert isinstance(node, ast.List)
    return build_items(body, node, "list", node.elts, expected)


def build_set(body: Body, node: ast.expr, expected: Type | None) -> Expression:
    """`{a, b, *c}`."""
    assert isinstance(node, ast.Set)
    return build_items(body, node, "set", node.elts, expected)


def build_items(
    body: Body, node: ast.AST, name: str, nodes: list[ast.expr], expected: Type | None
) -> Expression:
    """A list or a set."""
    if not nodes:
        return make_empty(body, node, name, expected)
    wanted = wanted_items(name, expected)
    parts = check_parts(body, nodes, wanted[0] if wanted else None)
    if any(is_failed(value) for value, _ in parts):
        return failed(body.loc(node))
    item = wanted[0] if wanted else join(body.program, *(part_type(body, each) for each in parts))
    parts = [fit_part(body, part, item, place) for part, place in zip(parts, nodes, strict=True)]
    if any(is_failed(value) for value, _ in parts):
        return failed(body.loc(node))
    return as_open(body, make_filled(body, node, name, parts, item))


def check_parts(body: Body, nodes: list[ast.expr], wanted: Type | None) -> list[Part]:
    """The items of a display; True where it is one that a `*` takes apart."""
    parts: list[Part] = []
    for each in nodes:
        spread = isinstance(each, ast.Starred)
        inner = each.value if isinstance(each, ast.Starred) else each
        value = check_value(body, inner, None if spread else wanted)
        parts.append((as_iterable(body, inner, value) if spread else value, spread))
    return parts


def part_type(body: Body, part: Part) -> Type:
    """What a part adds to the items."""
    value, spread = part
    if not spread:
        return loosen(body.program, value.type)
    return join(body.program, *(iterated(body, each) for each in members_of(value.type)))


def iterated(body: Body, type_: Type) -> Type:
    """What iterating gives."""
    view = class_view(body.program, type_)
    seen = base_as(body.program, view, body.program.known_class("Iterable")) if view else None
    return seen.arguments[0] if seen and seen.arguments else join(body.program)


def fit_part(body: Body, part: Part, item: Type, node: ast.expr) -> Part:
    """A part whose items are what is wanted."""
    value, spread = part
    if not spread:
        return to_type(body, value, item, node), False
    wanted = ClassType(body.program.known_class("Iterable"), (item,))
    return to_type(body, value, wanted, node), True


def make_filled(body: Body, node: ast.AST, name: str, parts: list[Part], item: Type) -> Expression:
    """The container, filled part by part where a `*` is among them."""
    leading: list[Expression] = []
    rest = [*parts]
    while rest and not rest[0][1]:
        leading.append(rest.pop(0)[0])
    made = make_container(body, node, name, leading, item)
    if not rest:
        return made
    loc = body.loc(node)
    target = body.temporary(".made", made.type)
    statements: list[Statement] = [Assign(loc=loc, variable=target, value=made)]
    names = {"list": ("append", "extend"), "set": ("add", "update")}[name]
    for value, spread in rest:
        call = call_direct(body, node, read(loc, target), names[1] if spread else names[0], value)
        statements.append(Evaluate(loc=value.loc, value=call))
    return sequence(statements, read(loc, target))


def call_direct(body: Body, node: ast.AST, subject: Expression, name: str, *values: Expression) -> Expression:
    """A method of a built-in container on one that was just made; nothing is inferred from it."""
    from meshext_wasm.typecheck.calling import methods

    return methods.call_method(body, node, subject, name, [*values])


def build_tuple(body: Body, node: ast.expr, expected: Type | None) -> Expression:
    """`a, b`."""
    assert isinstance(node, ast.Tuple)
    if any(isinstance(each, ast.Starred) for each in node.elts):
        return build_spread_tuple(body, node, expected)
    wanted = tuple_wanted(expected, len(node.elts))
    items = [item_of_tuple(body, each, inner) for each, inner in zip(node.elts, wanted, strict=True)]
    if any(map(is_failed, items)):
        return failed(body.loc(node))
    types = tuple(
        inner if inner is not None and item.type == inner else item.type
        for item, inner in zip(items, wanted, strict=True)
    )
    return make_tuple(body, node, items, TupleType(types))


def item_of_tuple(body: Body, node: ast.expr, wanted: Type | None) -> Expression:
    """An item. Raw ones are possible where the tuple is taken apart at once; no tuple is made then."""
    item = check_expression(body, node, wanted)
    if wanted is not None and is_any(item.type) and is_told(wanted):
        item = to_type(body, item, wanted, node)
    return item if isinstance(item.type, RawType) else to_value(body, item, node)


def tuple_wanted(expected: Type | None, count: int) -> list[Type | None]:
    """What each item has to be where a tuple is expected."""
    for each in members_of(expected) if expected is not None else ():
        if isinstance(each, TupleType) and len(each.items) == count:
            return [*each.items]
        if isinstance(each, ClassType) and each.cls.name == "tuple" and each.arguments:
            return [each.arguments[0]] * count
    return [None] * count


def make_tuple(body: Body, node: ast.AST, items: list[Expression], type_: Type) -> Expression:
    """A tuple of these items."""
    cls = body.program.builtin_class("tuple")
    return MakeArray(loc=body.loc(node), type=type_, cls=cls, items=tuple(items))


def build_spread_tuple(body: Body, node: ast.Tuple, _expected: Type | None) -> Expression:
    """`(a, *b)`: taken apart where the length of b is known, else by way of a list."""
    parts = check_parts(body, node.elts, None)
    if any(is_failed(value) for value, _ in parts):
        return failed(body.loc(node))
    if all(isinstance(value.type, TupleType) for value, spread in parts if spread):
        return flat_tuple(body, node, parts)
    item = join(body.program, *(part_type(body, each) for each in parts))
    parts = [fit_part(body, part, item, place) for part, place in zip(parts, node.elts, strict=True)]
    return make_tuple_of(body, node, parts, item)


def flat_tuple(body: Body, node: ast.AST, parts: list[Part]) -> Expression:
    """Tuples of known length, one behind the other."""
    from meshext_wasm.typecheck.expressions.subscripts import tuple_items
    from meshext_wasm.typecheck.meanings.making import keep

    items: list[Expression] = []
    with body.collect() as statements:
        for value, spread in parts:
            kept = keep(body, statements, value)
            items.extend(tuple_items(body, node, kept) if spread else [kept])
    return sequence(statements, make_tuple(body, node, items, TupleType(tuple(i.type for i in items))))


def make_tuple_of(body: Body, node: ast.AST, parts: list[Part], item: Type) -> Expression:
    """A tuple of any length, such as a `*` parameter gets."""
    type_ = class_type(body.program, "tuple", item)
    if not any(spread for _, spread in parts):
        return make_tuple(body, node, [value for value, _ in parts], type_)
    whole = make_filled(body, node, "list", parts, item)
    made = call_known(body, body.loc(node), "builtins.tuples.tuple_of", whole)
    return narrow(made, type_)


def build_dict(body: Body, node: ast.expr, expected: Type | None) -> Expression:
    """`{key: value, **more}`."""
    assert isinstance(node, ast.Dict)
    if not node.keys:
        return make_empty(body, node, "dict", expected)
    wanted = wanted_items("dict", expected)
    pairs: list[tuple[Expression | None, Expression]] = []
    for key, value in zip(node.keys, node.values, strict=True):
        checked = check_value(body, key, wanted[0] if wanted else None) if key else None
        whole = None if key or not wanted else class_type(body.program, "dict", *wanted)
        inner = wanted[1] if wanted and key else whole
        inner = expected if inner is None and expected is not None and is_any(expected) and key else inner
        pairs.append((checked, check_value(body, value, inner)))
    if any(is_failed(value) or (key is not None and is_failed(key)) for key, value in pairs):
        return failed(body.loc(node))
    types = wanted or dict_types(body, pairs)
    if expected is not None and is_any(expected):
        types = types[0], expected
    return fill_dict(body, node, pairs, types)


def dict_types(body: Body, pairs: list[tuple[Expression | None, Expression]]) -> tuple[Type, Type]:
    """Types of the keys and values together."""
    keys: list[Type] = []
    values: list[Type] = []
    for key, value in pairs:
        if key is not None:
            keys.append(loosen(body.program, key.type))
            values.append(loosen(body.program, value.type))
            continue
        view = class_view(body.program, value.type)
        seen = base_as(body.program, view, mapping(body)) if view else None
        if seen is not None and len(seen.arguments) == 2:
            keys.append(seen.arguments[0])
            values.append(seen.arguments[1])
    return join(body.program, *keys), join(body.program, *values)


def mapping(body: Body) -> Class:
    """The class above dict."""
    return body.program.known_class("Mapping")


def fill_dict(
    body: Body,
    node: ast.Dict,
    pairs: list[tuple[Expression | None, Expression]],
    types: tuple[Type, ...],
) -> Expression:
    """Put the pairs in, in their order."""
    loc, type_ = body.loc(node), class_type(body.program, "dict", *types)
    target = body.temporary(".made", type_)
    made = narrow(make_container(body, node, "dict", [], types[0]), type_)
    statements: list[Statement] = [Assign(loc=loc, variable=target, value=made)]
    for (key, value), place in zip(pairs, node.values, strict=True):
        if key is None:
            whole = ClassType(body.program.known_class("Mapping"), types)
            given = seen_as_dict(body, to_type(body, value, whole, place), type_)
            call = call_direct(body, node, read(loc, target), "update", given)
        else:
            put = to_type(body, key, types[0], place), to_type(body, value, types[1], place)
            call = call_known(body, loc, "builtins.dicts.put", read(loc, target), *put)
        if is_failed(call):
            return failed(loc)
        statements.append(Evaluate(loc=value.loc, value=call))
    return as_open(body, sequence(statements, read(loc, target)))


def seen_as_dict(body: Body, value: Expression, type_: ClassType) -> Expression:
    """A dict that fits into another one, seen as such a dict, as it is only read."""
    view = class_view(body.program, value.type)
    return narrow(value, type_) if view is not None and base_as(body.program, view, type_.cls) else value


def make_keywords(body: Body, node: ast.AST, pairs: list[tuple[str, Expression]], item: Type) -> Expression:
    """The dict that a `**` parameter gets; a `**` argument (no name) is copied into it."""
    program, loc = body.program, body.loc(node)
    type_ = class_type(program, "dict", class_type(program, "str"), item)
    made = narrow(make_container(body, node, "dict", [], type_.arguments[0]), type_)
    if not pairs:
        return made
    target = body.temporary(".made", type_)
    statements: list[Statement] = [Assign(loc=loc, variable=target, value=made)]
    for name, value in pairs:
        if name:
            key = constant(program, loc, name)
            call = call_known(body, loc, "builtins.dicts.put", read(loc, target), key, value)
        else:
            call = call_direct(body, node, read(loc, target), "update", value)
        statements.append(Evaluate(loc=loc, value=call))
    return sequence(statements, read(loc, target))
