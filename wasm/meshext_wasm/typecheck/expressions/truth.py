"""Truth of values, `and`, `or`, and expressions with a condition."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.statements import Evaluate, Statement
from meshext_wasm.tree.types import (
    CallableType,
    ClassObjectType,
    ClassType,
    LiteralType,
    NeverType,
    NoneType,
    RawType,
    Rep,
    TupleType,
    Type,
)
from meshext_wasm.typecheck.expressions.operators import find_operator, is_float, is_int
from meshext_wasm.typecheck.meanings.conversions import to_value
from meshext_wasm.typecheck.meanings.dispatch import check_condition, check_expression
from meshext_wasm.typecheck.meanings.making import (
    call_known,
    class_type,
    conditional,
    constant,
    convert,
    failed,
    intrinsic,
    is_failed,
    keep,
    narrow,
    negate,
    refuse,
    sequence,
    truth,
)
from meshext_wasm.typecheck.meanings.narrowing import facts_of
from meshext_wasm.typecheck.meanings.symbols import FunctionSymbol, Program
from meshext_wasm.typecheck.meanings.unions import (
    has_none,
    is_any,
    join,
    make_union,
    members_of,
    without_none,
)

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body


def build_condition(body: Body, node: ast.expr) -> Expression:
    """The truth of an expression as BOOL."""
    if isinstance(node, ast.BoolOp):
        return _fold_condition(body, node, node.values)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return negate(body.program, check_condition(body, node.operand))
    return truth_of(body, check_expression(body, node), node)


def _fold_condition(body: Body, node: ast.BoolOp, values: list[ast.expr]) -> Expression:
    """`and`/`or` where only the truth counts."""
    program, loc = body.program, body.loc(node)
    first = check_condition(body, values[0])
    if len(values) == 1:
        return first
    conjunction = isinstance(node.op, ast.And)
    with body.assume(facts_of(body, values[0], conjunction)):
        rest = _fold_condition(body, node, values[1:])
    fixed = truth(program, loc, not conjunction)
    type_ = class_type(program, "bool")
    return conditional(loc, first, *((rest, fixed) if conjunction else (fixed, rest)), type_)


def truth_of(body: Body, expression: Expression, node: ast.AST) -> Expression:
    """Whether a value is true, as BOOL."""
    program, loc = body.program, expression.loc
    if is_failed(expression) or isinstance(expression.type, NeverType):
        return sequence(_first(expression), truth(program, loc, False))
    if expression.rep is Rep.BOOL:
        return expression
    if isinstance(expression.type, RawType):
        return refuse_truth(body, node)
    if is_int(program, expression.type):
        if expression.type == class_type(program, "bool"):
            return convert(expression, Rep.BOOL)
        return intrinsic(program, loc, "int.ne", expression, constant(program, loc, 0))
    if is_float(program, expression.type):
        zero = convert(constant(program, loc, 0.0), Rep.FLOAT)
        return intrinsic(program, loc, "float.ne", convert(expression, Rep.FLOAT), zero)
    return _truth_of_object(body, to_value(body, expression, node), node)


def refuse_truth(body: Body, node: ast.AST) -> Expression:
    """Raw numbers have no truth of their own."""
    refuse(body, node, "a raw number has no truth of its own", "`!= 0`")
    return truth(body.program, body.loc(node), False)


def _first(expression: Expression) -> list[Statement]:
    return [Evaluate(loc=expression.loc, value=expression)]


def _truth_of_object(body: Body, value: Expression, node: ast.AST) -> Expression:
    program, loc = body.program, value.loc
    if has_none(value.type):
        return _truth_of_optional(body, value, node)
    always = always_true(program, value.type)
    if always is not None:
        return sequence(_first(value), truth(program, loc, always))
    method = truth_method(program, value.type)
    if method is not None:
        from meshext_wasm.typecheck.calling import methods

        return truth_of(body, methods.call_found(body, node, method, value, []), node)
    return convert(call_known(body, loc, "builtins.objects.truth", value), Rep.BOOL)


def _truth_of_optional(body: Body, value: Expression, node: ast.AST) -> Expression:
    program, loc = body.program, value.loc
    rest = without_none(value.type)
    with body.collect() as statements:
        kept = keep(body, statements, value)
    is_none = intrinsic(program, loc, "value.is", kept, constant(program, loc, None))
    if isinstance(rest, NeverType) or always_true(program, rest):
        return sequence(statements, negate(program, is_none))
    inner = truth_of(body, narrow(kept, rest), node)
    no = truth(program, loc, False)
    return sequence(statements, conditional(loc, is_none, no, inner, class_type(program, "bool")))


def always_true(program: Program, type_: Type) -> bool | None:
    """Whether all values of a type are true, or all false; None where it depends."""
    members = members_of(type_)
    if all(isinstance(each, NoneType) for each in members):
        return False
    return True if members and all(_is_true(program, each) for each in members) else None


def _is_true(program: Program, type_: Type) -> bool:
    match type_:
        case CallableType() | ClassObjectType():
            return True
        case TupleType(items):
            return bool(items)
        case LiteralType(value):
            return bool(value)
        case ClassType(cls):
            if cls.symbol.startswith("builtins."):
                return False
            symbol = program.class_symbol(cls)
            own = [find_operator(program, type_, name) for name in ("__bool__", "__len__")]
            inherited = all(
                isinstance(each, FunctionSymbol) and each.owner is not None and each.owner.base is None
                for each in own
                if each is not None
            )
            return inherited and not symbol.open and symbol.base is not None
    return False


def truth_method(program: Program, type_: Type) -> FunctionSymbol | None:
    """`__bool__`, else `__len__`, of the one class that a type has, where `object`'s is not meant."""
    if len(members_of(type_)) != 1:
        return None
    for name in ("__bool__", "__len__"):
        found = find_operator(program, type_, name)
        if isinstance(found, FunctionSymbol) and found.owner is not None and found.owner.base is not None:
            return found
    return None


def build_bool_op(body: Body, node: ast.expr, expected: Type | None) -> Expression:
    """`a and b`, `a or b`: one of the values, the left one evaluated once."""
    assert isinstance(node, ast.BoolOp)
    return _fold_values(body, node, node.values, expected)


def _fold_values(body: Body, node: ast.BoolOp, values: list[ast.expr], expected: Type | None) -> Expression:
    left = check_expression(body, values[0], expected)
    if len(values) == 1:
        return left
    conjunction = isinstance(node.op, ast.And)
    if expected is None and is_any(left.type):
        expected = left.type
    with body.assume(facts_of(body, values[0], conjunction)):
        right = _fold_values(body, node, values[1:], expected)
    return choose(body, node, conjunction, left, right)


def choose(body: Body, node: ast.AST, conjunction: bool, left: Expression, right: Expression) -> Expression:
    """The value of `left and right` or `left or right`, both checked."""
    program, loc = body.program, body.loc(node)
    if is_failed(left) or is_failed(right):
        return failed(loc)
    boolean = class_type(program, "bool")
    if left.type == boolean and right.type == boolean:
        test, other = convert(left, Rep.BOOL), convert(right, Rep.BOOL)
        fixed = truth(program, loc, not conjunction)
        return conditional(loc, test, *((other, fixed) if conjunction else (fixed, other)), boolean)
    with body.collect() as statements:
        kept = keep(body, statements, to_value(body, left, node))
    test = truth_of(body, kept, node)
    other = to_value(body, right, node)
    same = narrow(kept, possible(program, kept.type, not conjunction))
    type_ = join(program, same.type, other.type)
    chosen = conditional(loc, test, *((other, same) if conjunction else (same, other)), type_)
    return sequence(statements, chosen)


def possible(program: Program, type_: Type, value: bool) -> Type:
    """The members of a type that can be true, or false."""
    kept = [each for each in members_of(type_) if always_true(program, each) in (None, value)]
    return make_union(kept)


def build_if(body: Body, node: ast.expr, expected: Type | None) -> Expression:
    """`then if test else otherwise`."""
    assert isinstance(node, ast.IfExp)
    test = check_condition(body, node.test)
    with body.assume(facts_of(body, node.test, True)):
        then = check_expression(body, node.body, expected)
    with body.assume(facts_of(body, node.test, False)):
        otherwise = check_expression(body, node.orelse, expected or _container_hint(then))
    return branches(body, node, test, then, otherwise)


def _container_hint(then: Expression) -> Type | None:
    if is_any(then.type):
        return then.type
    return then.type if isinstance(then.type, ClassType) and then.type.arguments else None


def branches(
    body: Body, node: ast.AST, test: Expression, then: Expression, otherwise: Expression
) -> Expression:
    """One of two values; both raw, or both BOOL, or VALUEs."""
    loc, program = body.loc(node), body.program
    if is_failed(then) or is_failed(otherwise):
        return failed(loc)
    if isinstance(then.type, RawType) or isinstance(otherwise.type, RawType):
        from meshext_wasm.typecheck.expressions import raw

        both = raw.common(body, node, then, otherwise)
        return conditional(loc, test, both[0], both[1], both[0].type) if both else failed(loc)
    type_ = join(program, then.type, otherwise.type)
    if then.rep is otherwise.rep and then.rep in (Rep.BOOL, Rep.FLOAT):
        return conditional(loc, test, then, otherwise, type_)
    values = to_value(body, then, node), to_value(body, otherwise, node)
    return conditional(loc, test, *values, type_)
