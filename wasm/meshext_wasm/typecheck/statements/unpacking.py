"""Taking apart what is assigned to several targets."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression, MakeArray
from meshext_wasm.tree.statements import Evaluate, If
from meshext_wasm.tree.types import RawType, TupleType, Type
from meshext_wasm.typecheck.calling import methods
from meshext_wasm.typecheck.expressions import displays
from meshext_wasm.typecheck.expressions.subscripts import tuple_item
from meshext_wasm.typecheck.meanings.conversions import to_value
from meshext_wasm.typecheck.meanings.making import (
    call_known,
    constant,
    failed,
    intrinsic,
    keep,
    narrow,
    refuse,
)
from meshext_wasm.typecheck.meanings.plain_values import as_iterable, as_tuple, named_tuple
from meshext_wasm.typecheck.meanings.unions import display, is_dynamic, join, members_of

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body


def nothing(body: Body, node: ast.AST) -> Expression:
    """The part of something that was refused."""
    return failed(body.loc(node))


def unpack(body: Body, node: ast.AST, value: Expression, count: int, star: int | None) -> list[Expression]:
    """As many parts as there are targets; statements that are needed before are written."""
    if isinstance(value.type, RawType):
        refuse(body, node, "a raw number can not be taken apart", "assign it to one name")
        return [nothing(body, node)] * count
    if named_tuple(body.program, value.type) is not None:
        value = as_tuple(body, node, _hold(body, value))
    if isinstance(value, MakeArray) and isinstance(value.type, TupleType):
        return fit(body, node, [_hold(body, each) for each in value.items], count, star)
    kept = _hold(body, value)
    types = members_of(value.type)
    if len(types) == 1 and isinstance(types[0], TupleType):
        kept = narrow(kept, types[0])
        items = [tuple_item(body, node, kept, index) for index in range(len(types[0].items))]
        return fit(body, node, items, count, star)
    return unpack_any(body, node, kept, count, star)


def _hold(body: Body, value: Expression) -> Expression:
    with body.collect() as statements:
        kept = keep(body, statements, value)
    for each in statements:
        body.emit(each)
    return kept


def fit(body: Body, node: ast.AST, items: list[Expression], count: int, star: int | None) -> list[Expression]:
    """Items whose number is known, one a target; the starred one gets a list of the rest."""
    if star is None and len(items) == count:
        return items
    if star is None or len(items) < count - 1:
        words = f"{len(items)} values for {count} targets"
        refuse(body, node, words, "as many targets as there are values")
        return [nothing(body, node)] * count
    after = count - 1 - star
    middle = items[star : len(items) - after]
    item = join(body.program, *(each.type for each in middle))
    rest = displays.make_container(body, node, "list", middle, item)
    return [*items[:star], rest, *items[len(items) - after :]]


def unpack_any(
    body: Body, node: ast.AST, value: Expression, count: int, star: int | None
) -> list[Expression]:
    """A list, str or any other iterable: made a list, and its length checked when it runs."""
    value = _hold(body, items_of(body, node, value))
    program, loc = body.program, body.loc(node)
    item = join(program, *(displays.iterated(body, each) for each in members_of(value.type)))
    if not all(is_iterable(body, each) for each in members_of(value.type)):
        refuse(body, node, f"{display(value.type)} can not be taken apart", "assign a tuple or a list")
        return [nothing(body, node)] * count
    whole = _hold(body, displays.make_filled(body, node, "list", [(value, True)], item))
    length = _hold(body, methods.call_own(body, node, whole, "__len__"))
    least = count if star is None else count - 1
    check_length(body, node, length, least, exact=star is None)
    if star is None:
        return [_item(body, node, whole, index) for index in range(count)]
    after = count - 1 - star
    stop = intrinsic(program, loc, "int.sub", length, constant(program, loc, after))
    none = constant(program, loc, None)
    bounds = [constant(program, loc, star), stop, none]
    middle = methods.call_own(body, node, whole, "__getslice__", *bounds)
    last = [_item(body, node, whole, index - after) for index in range(after)]
    return [*(_item(body, node, whole, index) for index in range(star)), middle, *last]


def items_of(body: Body, node: ast.AST, value: Expression) -> Expression:
    """What iterates a value; of one that is Any, the iterator that it turns out to have."""
    from meshext_wasm.typecheck.statements.iteration import iterator_of

    return iterator_of(body, node, value) if is_dynamic(value.type) else as_iterable(body, node, value)


def is_iterable(body: Body, type_: Type) -> bool:
    """Whether a `for` may go over it."""
    from meshext_wasm.typecheck.meanings.unions import base_as, class_view

    view = class_view(body.program, type_)
    iterable = body.program.known_class("Iterable")
    return view is not None and base_as(body.program, view, iterable) is not None


def _item(body: Body, node: ast.AST, whole: Expression, index: int) -> Expression:
    place = constant(body.program, body.loc(node), index)
    return to_value(body, methods.call_own(body, node, whole, "__getitem__", place), node)


def check_length(body: Body, node: ast.AST, length: Expression, least: int, *, exact: bool) -> None:
    """ValueError for too few or too many values, in CPython's words."""
    program, loc = body.program, body.loc(node)
    wanted = constant(program, loc, least)
    at_least = constant(program, loc, not exact)
    short = intrinsic(program, loc, "int.lt", length, wanted)
    few = call_known(body, loc, "builtins.errors.too_few_values", wanted, length, at_least)
    body.emit(If(loc=loc, test=short, then=(Evaluate(loc=loc, value=few),)))
    if exact:
        long = intrinsic(program, loc, "int.gt", length, wanted)
        many = call_known(body, loc, "builtins.errors.too_many_values", wanted)
        body.emit(If(loc=loc, test=long, then=(Evaluate(loc=loc, value=many),)))
