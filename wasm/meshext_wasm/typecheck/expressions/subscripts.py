"""Subscripts and slices."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Constant, Expression, MakeArray
from meshext_wasm.tree.types import ClassObjectType, NeverType, ObjectType, RawType, TupleType, Type
from meshext_wasm.typecheck.calling import methods
from meshext_wasm.typecheck.calling.matches import see_item
from meshext_wasm.typecheck.expressions.names import resolve, seen_as
from meshext_wasm.typecheck.expressions.operators import find_operator
from meshext_wasm.typecheck.meanings.dispatch import check_expression, check_value
from meshext_wasm.typecheck.meanings.dispatching import over_union
from meshext_wasm.typecheck.meanings.making import (
    call_known,
    constant,
    intrinsic,
    is_failed,
    keep,
    narrow,
    raw_constant,
    refuse,
    sequence,
)
from meshext_wasm.typecheck.meanings.members_of_enums import BY_NAME, is_enumeration
from meshext_wasm.typecheck.meanings.plain_values import as_tuple, has_own
from meshext_wasm.typecheck.meanings.symbols import ClassSymbol, FunctionSymbol, Overloads
from meshext_wasm.typecheck.meanings.unions import display, is_dynamic, narrow_hint

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body


def tuple_item(body: Body, node: ast.AST, subject: Expression, index: int) -> Expression:
    """One item of a tuple whose length is known; the subject is evaluated each time."""
    assert isinstance(subject.type, TupleType)
    loc = body.loc(node)
    place = raw_constant(loc, index)
    type_ = subject.type.items[index]
    return intrinsic(body.program, loc, "array.get", subject, place, type_=type_)


def tuple_items(body: Body, node: ast.AST, subject: Expression) -> list[Expression]:
    """Every item; the first one keeps the tuple."""
    assert isinstance(subject.type, TupleType)
    if isinstance(subject, MakeArray):
        return [*subject.items]
    if not subject.type.items:
        return []
    with body.collect() as statements:
        kept = keep(body, statements, subject)
    items = [tuple_item(body, node, kept, index) for index in range(len(subject.type.items))]
    return [sequence(statements, items[0]), *items[1:]]


def build_subscript(body: Body, node: ast.expr, _expected: Type | None) -> Expression:
    """`a[i]`, `a[i:j]`."""
    assert isinstance(node, ast.Subscript)
    owner = resolve(body, node.value)
    if isinstance(owner, ClassSymbol) and is_enumeration(owner.cls):
        return member_by_name(body, node, owner)
    subject = check_expression(body, node.value)
    own = subject.type.cls if isinstance(subject.type, ClassObjectType) else None
    if own is not None and is_enumeration(own):
        return member_by_name(body, node, body.program.class_symbol(own))
    if is_failed(subject) or isinstance(subject.type, NeverType):
        return subject
    if isinstance(subject.type, RawType):
        return refuse(body, node, "a raw number has no items", "use array_get or a load")
    if is_dynamic(subject.type) and not isinstance(node.slice, ast.Slice):
        return item_of_any(body, node, subject, node.slice)
    if not has_own(body.program, subject.type, "__getitem__"):
        subject = as_tuple(body, node, subject)
    made = over_union(body, node, subject, lambda one: item_of(body, node, one, node.slice))
    made = see_item(body, node, subject, made)
    return seen_as(body, node, made)


def member_by_name(body: Body, node: ast.Subscript, owner: ClassSymbol) -> Expression:
    """`Color["RED"]`."""
    from meshext_wasm.typecheck.calling.arguments import Argument, Given
    from meshext_wasm.typecheck.calling.functions import call_symbol

    found = owner.members.get(BY_NAME)
    if not isinstance(found, FunctionSymbol):
        return refuse(body, node, f"{owner.cls.name} has no members", "a member by its name")
    return call_symbol(body, node, found, Given((Argument(node.slice),)))


def item_of(body: Body, node: ast.AST, subject: Expression, index: ast.expr) -> Expression:
    """The item or slice of a value of one class."""
    if isinstance(index, ast.Slice):
        return slice_of(body, node, subject, index)
    if isinstance(subject.type, TupleType):
        place = literal_index(body, index)
        if place is not None:
            return known_item(body, node, subject, subject.type, place)
    method = operator_of(body, node, subject, "__getitem__", "can not be subscripted")
    if method is None:
        return refuse_silently(body, node)
    key = check_expression(body, index, key_type(body, method, subject))
    return key if is_failed(key) else methods.call_found(body, node, method, subject, [key])


def item_of_any(body: Body, node: ast.AST, subject: Expression, index: ast.expr) -> Expression:
    """The item of what may be any container: it is asked what it is when it runs."""
    key = check_value(body, index)
    if is_failed(key):
        return key
    found = call_known(body, body.loc(node), "builtins.dynamic.item_of", subject, key)
    return narrow(found, ObjectType(unknown=True))


def refuse_silently(body: Body, node: ast.AST) -> Expression:
    """What was reported already."""
    from meshext_wasm.typecheck.meanings.making import failed

    return failed(body.loc(node))


def key_type(body: Body, method: FunctionSymbol | Overloads, subject: Expression) -> Type | None:
    """What the first argument of a method has to be."""
    from meshext_wasm.typecheck.meanings.generics import substitute

    if isinstance(method, Overloads) or not method.signature.parameters:
        return None
    bindings = methods.receiver_bindings(body, method, subject)
    return substitute(method.signature.parameters[0].type, bindings)


def literal_index(body: Body, node: ast.expr) -> int | None:
    """An index that is known."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = literal_index(body, node.operand)
        return None if inner is None else -inner
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    return None


def known_item(body: Body, node: ast.AST, subject: Expression, type_: TupleType, index: int) -> Expression:
    """An item by a known index."""
    size = len(type_.items)
    if not -size <= index < size:
        words = f"index {index} of a tuple of {size}"
        return refuse(body, node, words, f"an index from 0 to {size - 1}")
    return tuple_item(body, node, subject, index % size)


def operator_of(
    body: Body, node: ast.AST, subject: Expression, name: str, words: str
) -> FunctionSymbol | Overloads | None:
    """The method for an operation on items; reported where the class has none of its own."""
    method = find_operator(body.program, subject.type, name)
    first = method.alternatives[0] if isinstance(method, Overloads) else method
    if first is not None and (first.owner is None or first.owner.base is not None):
        return method
    refuse(
        body,
        node,
        f"{display(subject.type)} {words}",
        narrow_hint("narrow it with isinstance, or annotate it", subject.type),
    )
    return None


def bounds_of(body: Body, node: ast.AST, index: ast.Slice) -> list[Expression]:
    """Start, stop and step; None where they are left out."""
    loc = body.loc(node)
    return [
        check_value(body, each) if each is not None else constant(body.program, loc, None)
        for each in (index.lower, index.upper, index.step)
    ]


def slice_of(body: Body, node: ast.AST, subject: Expression, index: ast.Slice) -> Expression:
    """`a[i:j:k]`."""
    method = operator_of(body, node, subject, "__getslice__", "can not be sliced")
    if method is None:
        return refuse_silently(body, node)
    bounds = bounds_of(body, node, index)
    failed = next(filter(is_failed, [each for each in bounds if not is_plain_none(each)]), None)
    if failed is not None:
        return failed
    made = methods.call_found(body, node, method, subject, bounds)
    if isinstance(subject.type, TupleType) and all(map(is_literal, bounds)):
        start, stop, step = (each.value if isinstance(each, Constant) else None for each in bounds)
        assert not isinstance(start, str | bytes | float)
        assert not isinstance(stop, str | bytes | float)
        assert not isinstance(step, str | bytes | float)
        return narrow(made, TupleType(subject.type.items[slice(start, stop, step)]))
    return made


def is_plain_none(expression: Expression) -> bool:
    """A bound that is left out."""
    return isinstance(expression, Constant) and expression.value is None and not is_failed(expression)


def is_literal(expression: Expression) -> bool:
    """A bound that is known."""
    return isinstance(expression, Constant)
