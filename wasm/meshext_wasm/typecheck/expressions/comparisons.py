"""Comparisons and chains of them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Constant, Expression
from meshext_wasm.tree.types import ClassType, NoneType, RawType, Rep, Type
from meshext_wasm.typecheck.expressions import raw
from meshext_wasm.typecheck.expressions.operators import (
    as_float,
    find_operator,
    is_class,
    is_flags,
    is_int,
    is_number,
)
from meshext_wasm.typecheck.meanings.conversions import to_type, to_value
from meshext_wasm.typecheck.meanings.dispatch import check_expression
from meshext_wasm.typecheck.meanings.making import (
    call_known,
    class_type,
    conditional,
    convert,
    intrinsic,
    is_failed,
    keep,
    negate,
    refuse,
    sequence,
    truth,
)
from meshext_wasm.typecheck.meanings.members_of_enums import as_collection
from meshext_wasm.typecheck.meanings.plain_values import as_iterable, has_own, plain
from meshext_wasm.typecheck.meanings.symbols import FunctionSymbol, Overloads
from meshext_wasm.typecheck.meanings.unions import display

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

NAMES: dict[type[ast.cmpop], str] = {
    ast.Eq: "eq",
    ast.NotEq: "ne",
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
}
ORDERINGS = {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}
DIRECT = ("str", "bytes")


def build_compare(body: Body, node: ast.expr, _expected: Type | None) -> Expression:
    """`a < b <= c`: every operand once, and no more of them than are needed."""
    assert isinstance(node, ast.Compare)
    left = check_expression(body, node.left)
    if len(node.ops) == 1:
        return build_link(body, node, node.ops[0], left, node.comparators[0])
    return _chain(body, node, left, 0)


def _chain(body: Body, node: ast.Compare, left: Expression, index: int) -> Expression:
    program, loc = body.program, body.loc(node)
    operator, right_node = node.ops[index], node.comparators[index]
    if index == len(node.ops) - 1:
        return build_link(body, node, operator, left, right_node)
    right = check_expression(body, right_node, raw_hint(left))
    if isinstance(left.type, RawType) and isinstance(right, Constant):
        right = to_type(body, right, left.type, right_node)
    with body.collect() as statements:
        kept = keep(body, statements, right)
    first = compare(body, node, operator, left, sequence(statements, kept))
    rest = _chain(body, node, kept, index + 1)
    no = truth(program, loc, False)
    return conditional(loc, first, rest, no, class_type(program, "bool"))


def raw_hint(expression: Expression) -> Type | None:
    """A literal beside a raw number is raw."""
    return expression.type if isinstance(expression.type, RawType) else None


def build_link(
    body: Body, node: ast.AST, operator: ast.cmpop, left: Expression, right_node: ast.expr
) -> Expression:
    """One comparison whose right side is not checked yet."""
    if isinstance(operator, ast.In | ast.NotIn):
        found = among(body, node, left, right_node)
        if found is not None:
            return negate(body.program, found) if isinstance(operator, ast.NotIn) else found
    hint = raw_hint(left)
    if hint is None and isinstance(operator, ast.Eq | ast.NotEq):
        hint = left.type
    return compare(body, node, operator, left, check_expression(body, right_node, hint))


def compare(
    body: Body, node: ast.AST, operator: ast.cmpop, left: Expression, right: Expression
) -> Expression:
    """One comparison as BOOL; the left side is evaluated first."""
    if is_failed(left) or is_failed(right):
        return truth(body.program, body.loc(node), False)
    match operator:
        case ast.Is():
            return _identical(body, node, left, right)
        case ast.IsNot():
            return negate(body.program, _identical(body, node, left, right))
        case ast.In():
            return contains(body, node, left, right)
        case ast.NotIn():
            return negate(body.program, contains(body, node, left, right))
    return order(body, node, NAMES[type(operator)], left, right)


def _identical(body: Body, node: ast.AST, left: Expression, right: Expression) -> Expression:
    program = body.program
    against_none = isinstance(left.type, NoneType) or isinstance(right.type, NoneType)
    for each in (left, right):
        if not against_none and is_class(program, each.type, "int", "float", "str", "bytes", "tuple"):
            return _boolean_refusal(
                body,
                node,
                f"`is` with a value of type {display(each.type)} tells nothing",
                "compare with == or !=",
            )
    if is_flags(left.type) and is_flags(right.type):
        return _boolean_refusal(body, node, "`is` between flags may miss equal ones", "compare with == or !=")
    values = [to_value(body, each, node) for each in (left, right)]
    return intrinsic(program, body.loc(node), "value.is", *values)


def _boolean_refusal(body: Body, node: ast.AST, reason: str, hint: str) -> Expression:
    refuse(body, node, reason, hint)
    return truth(body.program, body.loc(node), False)


ASKED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "eq": "eq", "ne": "eq"}
"""What the other side is asked for a comparison."""


def order(body: Body, node: ast.AST, name: str, left: Expression, right: Expression) -> Expression:
    """`==`, `<` and their like."""
    program, loc = body.program, body.loc(node)
    if isinstance(left.type, RawType) or isinstance(right.type, RawType):
        made = raw.compare(body, node, name, left, right)
        return truth(program, loc, False) if is_failed(made) else made
    own = has_own(program, left.type, f"__{ASKED[ASKED[name]]}__")
    if not own and not has_own(program, right.type, f"__{ASKED[name]}__"):
        left, right = plain(body, node, left), plain(body, node, right)
    if is_int(program, left.type) and is_int(program, right.type):
        values = convert(left, Rep.VALUE), convert(right, Rep.VALUE)
        return intrinsic(program, loc, f"int.{name}", *values)
    if is_number(program, left.type) and is_number(program, right.type):
        return _order_numbers(body, node, name, left, right)
    values = to_value(body, left, node), to_value(body, right, node)
    if any(map(is_failed, values)):
        return truth(program, loc, False)
    if name == "ne":
        return negate(program, order(body, node, "eq", left, right))
    for cls in DIRECT:
        if is_class(program, left.type, cls) and is_class(program, right.type, cls):
            method = find_operator(program, left.type, f"__{name}__")
            if isinstance(method, FunctionSymbol) and method.owner and method.owner.cls.name == cls:
                from meshext_wasm.typecheck.calling import methods

                made = methods.call_found(body, node, method, values[0], [values[1]])
                return convert(made, Rep.BOOL)
    function = "equal" if name == "eq" else ORDERINGS[name]
    return convert(call_known(body, loc, f"builtins.objects.{function}", *values), Rep.BOOL)


def _order_numbers(body: Body, node: ast.AST, name: str, left: Expression, right: Expression) -> Expression:
    program, loc = body.program, body.loc(node)
    floats = as_float(program, left), as_float(program, right)
    if floats[0] is not None and floats[1] is not None:
        return intrinsic(program, loc, f"float.{name}", floats[0], floats[1])
    values = to_value(body, left, node), to_value(body, right, node)
    if name == "ne":
        return negate(program, order(body, node, "eq", left, right))
    return convert(call_known(body, loc, f"builtins.floats.number_{name}", *values), Rep.BOOL)


def contains(body: Body, node: ast.AST, item: Expression, container: Expression) -> Expression:
    """`item in container`; the item is evaluated first."""
    from meshext_wasm.typecheck.calling import methods
    from meshext_wasm.typecheck.expressions import truth as truths

    program, loc = body.program, body.loc(node)
    value, holder = to_value(body, item, node), to_value(body, container, node)
    if not has_own(program, holder.type, "__contains__"):
        holder = as_collection(body, node, holder)
        holder = holder if is_flags(holder.type) else plain(body, node, holder)
    if is_class(program, holder.type, "str"):
        value = plain(body, node, value)
    if is_failed(value) or is_failed(holder):
        return truth(program, loc, False)
    with body.collect() as statements:
        kept = keep(body, statements, value)
    method = find_operator(program, holder.type, "__contains__")
    if is_bare(holder, method):
        holder = as_iterable(body, node, holder)
        method = find_operator(program, holder.type, "__contains__")
        if is_bare(holder, method):
            words = f"{display(holder.type)} has no __contains__ and no __iter__"
            return _boolean_refusal(body, node, words, "one of them in the class")
    if isinstance(method, FunctionSymbol) and method.owner is not None and method.owner.base is not None:
        made = methods.call_found(body, node, method, holder, [kept])
        return sequence(statements, truths.truth_of(body, made, node))
    made = convert(call_known(body, loc, "builtins.objects.contains", holder, kept), Rep.BOOL)
    return sequence(statements, made)


def is_bare(holder: Expression, method: FunctionSymbol | Overloads | None) -> bool:
    """Whether it is an instance of a class that does not say itself what is in it."""
    own = isinstance(method, FunctionSymbol) and method.owner is not None and method.owner.base is not None
    return isinstance(holder.type, ClassType) and not own and not isinstance(method, Overloads)


def among(body: Body, node: ast.AST, item: Expression, container: ast.expr) -> Expression | None:
    """`x in ("a", "b")`: compared one after the other, no container is made."""
    if not isinstance(container, ast.Tuple | ast.List | ast.Set) or not container.elts:
        return None
    if not all(isinstance(each, ast.Constant) for each in container.elts) or is_failed(item):
        return None
    program, loc = body.program, body.loc(node)
    with body.collect() as statements:
        kept = keep(body, statements, item)
    found: Expression | None = None
    for each in reversed(container.elts):
        same = compare(body, node, ast.Eq(), kept, check_expression(body, each, raw_hint(kept)))
        if found is None:
            found = same
            continue
        yes = truth(program, loc, True)
        found = conditional(loc, same, yes, found, class_type(program, "bool"))
    assert found is not None
    return sequence(statements, found)
