"""Arithmetic: ints by fast operations, exact floats out of their boxes, the rest by library methods."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Constant, Expression
from meshext_wasm.tree.statements import Evaluate
from meshext_wasm.tree.types import ClassType, LiteralType, NeverType, RawType, Rep, Type
from meshext_wasm.typecheck.expressions import raw
from meshext_wasm.typecheck.meanings.conversions import to_value
from meshext_wasm.typecheck.meanings.dispatch import check_expression
from meshext_wasm.typecheck.meanings.making import (
    call_known,
    constant,
    convert,
    intrinsic,
    is_failed,
    keep,
    negate,
    refuse,
    sequence,
)
from meshext_wasm.typecheck.meanings.members_of_enums import is_flag
from meshext_wasm.typecheck.meanings.plain_values import has_own, plain
from meshext_wasm.typecheck.meanings.symbols import (
    ClassSymbol,
    FunctionSymbol,
    Overloads,
    Program,
    find_member,
)
from meshext_wasm.typecheck.meanings.unions import class_view, display, has_none, members_of, narrow_hint

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

NAMES: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "truediv",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Pow: "pow",
    ast.LShift: "lshift",
    ast.RShift: "rshift",
    ast.BitAnd: "and",
    ast.BitOr: "or",
    ast.BitXor: "xor",
    ast.MatMult: "matmul",
}
SIGNS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "truediv": "/",
    "floordiv": "//",
    "mod": "%",
    "pow": "**",
    "lshift": "<<",
    "rshift": ">>",
    "and": "&",
    "or": "|",
    "xor": "^",
    "matmul": "@",
}
INT_FAST = frozenset("add sub mul floordiv mod and or xor lshift rshift".split())
FLOAT_FAST = frozenset("add sub mul".split())
NUMBER = frozenset("add sub mul truediv floordiv mod pow".split())


def is_class(program: Program, type_: Type, *names: str) -> bool:
    """Whether every value of the type is an instance of exactly these built-in classes."""
    symbols = [program.builtins.get(name) for name in names]
    classes = [each.cls for each in symbols if isinstance(each, ClassSymbol)]
    found = [each.base if isinstance(each, LiteralType) else each for each in members_of(type_)]
    return bool(found) and all(isinstance(each, ClassType) and each.cls in classes for each in found)


def is_int(program: Program, type_: Type) -> bool:
    """Ints, bools among them."""
    return is_class(program, type_, "int", "bool")


def is_float(program: Program, type_: Type) -> bool:
    """Exact floats: an annotated `float` may hold an int."""
    return is_class(program, type_, "float")


def is_number(program: Program, type_: Type) -> bool:
    """Ints and floats."""
    return is_class(program, type_, "int", "bool", "float")


def build_binary(body: Body, node: ast.expr, expected: Type | None) -> Expression:
    """`left + right`."""
    assert isinstance(node, ast.BinOp)
    name = NAMES[type(node.op)]
    if name == "mod" and isinstance(node.left, ast.Constant) and isinstance(node.left.value, str):
        from meshext_wasm.typecheck.expressions.templates import build_percent

        return build_percent(body, node)
    hint = expected if isinstance(expected, RawType) or name in ("add", "or", "mul") else None
    left = check_expression(body, node.left, hint)
    right_hint = left.type if isinstance(left.type, RawType) or name in ("add", "or") else None
    right = check_expression(body, node.right, right_hint)
    return operate(body, node, name, left, right)


def operate(body: Body, node: ast.AST, name: str, left: Expression, right: Expression) -> Expression:
    """An operation on two expressions, left evaluated first."""
    if is_failed(left) or is_failed(right):
        return left if is_failed(left) else right
    if isinstance(left.type, NeverType) or isinstance(right.type, NeverType):
        return left if isinstance(left.type, NeverType) else after(left, right)
    if isinstance(left.type, RawType) or isinstance(right.type, RawType):
        return raw.operate(body, node, name, left, right)
    bits = operate_flags(body, node, name, left, right)
    if bits is not None:
        return bits
    program, loc = body.program, body.loc(node)
    if not (has_own(program, left.type, f"__{name}__") or has_own(program, right.type, f"__r{name}__")):
        left, right = plain(body, node, left), plain(body, node, right)
    if is_int(program, left.type) and is_int(program, right.type):
        if name in INT_FAST:
            return _operate_ints(body, node, name, left, right)
    elif is_number(program, left.type) and is_number(program, right.type):
        floats = [as_float(program, each) for each in (left, right)]
        if name in FLOAT_FAST and floats[0] is not None and floats[1] is not None:
            return intrinsic(program, loc, f"float.{name}", floats[0], floats[1])
        if name in FLOAT_FAST and (is_float(program, left.type) or is_float(program, right.type)):
            mixed = operate_mixed(body, name, left, right)
            if mixed is not None:
                return mixed
    if is_number(program, left.type) and is_number(program, right.type) and name in NUMBER:
        return _operate_numbers(body, node, name, left, right)
    return _operate_objects(body, node, name, left, right)


def operate_flags(
    body: Body, node: ast.AST, name: str, left: Expression, right: Expression
) -> Expression | None:
    """An operation that gives a member of an IntFlag, and no plain int; None for any other."""
    from meshext_wasm.typecheck.calling import methods

    if name not in ("and", "or", "xor"):
        return None
    for own, other, method_name in ((left, right, f"__{name}__"), (right, left, f"__r{name}__")):
        method = find_operator(body.program, own.type, method_name) if is_flags(own.type) else None
        if method is not None and methods.accepts(body, method, own, [other]):
            with body.collect() as statements:
                first = keep(body, statements, left)
            arguments = (first, right) if own is left else (right, first)
            return sequence(statements, methods.call_found(body, node, method, arguments[0], [arguments[1]]))
    return None


def is_flags(type_: Type) -> bool:
    """Whether its values are members of one Flag or IntFlag."""
    return isinstance(type_, ClassType) and is_flag(type_.cls)


def after(first: Expression, second: Expression) -> Expression:
    """One after the other; the second never gives a value."""
    return sequence([Evaluate(loc=first.loc, value=first)], second)


def _operate_ints(body: Body, node: ast.AST, name: str, left: Expression, right: Expression) -> Expression:
    program, loc = body.program, body.loc(node)
    type_ = None
    bools = is_class(program, left.type, "bool") and is_class(program, right.type, "bool")
    if name in ("and", "or", "xor") and bools:
        type_ = ClassType(program.builtin_class("bool"))
    values = convert(left, Rep.VALUE), convert(right, Rep.VALUE)
    return intrinsic(program, loc, f"int.{name}", *values, type_=type_)


def as_float(program: Program, expression: Expression) -> Expression | None:
    """An exact float out of its box; an int literal that a double holds exactly counts."""
    if expression.rep is Rep.FLOAT:
        return expression
    if is_float(program, expression.type):
        return convert(expression, Rep.FLOAT)
    if isinstance(expression, Constant) and isinstance(expression.value, int):
        number = expression.value
        if abs(number) <= 1 << 53:
            type_ = ClassType(program.builtin_class("float"))
            return Constant(loc=expression.loc, type=type_, rep=Rep.FLOAT, value=float(number))
    return None


def operate_mixed(body: Body, name: str, left: Expression, right: Expression) -> Expression | None:
    """An operation on a float and an int, which becomes one when both are evaluated; None where an operand
    may be either."""
    program = body.program
    with body.collect() as statements:
        kept = [keep(body, statements, each) for each in (left, right)]
    floats: list[Expression] = []
    for each in kept:
        found = as_float(program, each)
        if found is None and is_int(program, each.type):
            made = call_known(body, each.loc, "builtins.doubles.int_as_double", convert(each, Rep.VALUE))
            found = replace(made, type=ClassType(program.builtin_class("float")))
        if found is None:
            return None
        floats.append(found)
    return sequence(statements, intrinsic(program, left.loc, f"float.{name}", *floats))


def _operate_numbers(body: Body, node: ast.AST, name: str, left: Expression, right: Expression) -> Expression:
    """Numbers of which one may be a float; the result is one when an operand is for sure."""
    program, loc = body.program, body.loc(node)
    values = [to_value(body, each, node) for each in (left, right)]
    if is_int(program, left.type) and is_int(program, right.type) and name == "pow":
        return _power(body, node, values)
    made = call_known(body, loc, f"builtins.floats.number_{name}", *values)
    exact = name == "truediv" or (
        name != "pow" and (is_float(program, left.type) or is_float(program, right.type))
    )
    if not exact:
        return made
    from meshext_wasm.typecheck.meanings.making import narrow

    return narrow(made, ClassType(program.builtin_class("float")))


def _power(body: Body, node: ast.AST, values: list[Expression]) -> Expression:
    """int ** int: an int unless the exponent is below zero, which a literal tells."""
    from meshext_wasm.typecheck.meanings.making import narrow

    program = body.program
    made = call_known(body, body.loc(node), "builtins.floats.number_pow", *values)
    exponent = values[1]
    if isinstance(exponent, Constant) and isinstance(exponent.value, int):
        name = "int" if exponent.value >= 0 else "float"
        return narrow(made, ClassType(program.builtin_class(name)))
    return made


def find_operator(program: Program, type_: Type, name: str) -> FunctionSymbol | Overloads | None:
    """The method of a type for an operator."""
    view = class_view(program, type_)
    found = find_member(program, program.class_symbol(view.cls), name) if view else None
    return found if isinstance(found, FunctionSymbol | Overloads) else None


def _operate_objects(body: Body, node: ast.AST, name: str, left: Expression, right: Expression) -> Expression:
    from meshext_wasm.typecheck.calling import methods

    program = body.program
    method = find_operator(program, left.type, f"__{name}__")
    if method is not None and methods.accepts(body, method, left, [right]):
        return methods.call_found(body, node, method, left, [right])
    reflected = find_operator(program, right.type, f"__r{name}__")
    if reflected is not None and methods.accepts(body, reflected, right, [left]):
        with body.collect() as statements:
            first = keep(body, statements, left)
        return sequence(statements, methods.call_found(body, node, reflected, right, [first]))
    sign = SIGNS[name]
    reason = f"{sign} between {display(left.type)} and {display(right.type)} is not possible"
    if has_none(left.type) or has_none(right.type):
        return refuse(body, node, reason, narrow_hint("test for None first", left.type, right.type))
    hint = narrow_hint("convert one of them, such as with str(...) or int(...)", left.type, right.type)
    return refuse(body, node, reason, hint)


def build_unary(body: Body, node: ast.expr, expected: Type | None) -> Expression:
    """`-x`, `+x`, `~x`, `not x`."""
    assert isinstance(node, ast.UnaryOp)
    program, loc = body.program, body.loc(node)
    if isinstance(node.op, ast.Not):
        from meshext_wasm.typecheck.meanings.dispatch import check_condition

        return negate(program, check_condition(body, node.operand))
    folded = _fold_sign(body, node, expected)
    if folded is not None:
        return folded
    operand = check_expression(body, node.operand, expected if isinstance(expected, RawType) else None)
    if is_failed(operand):
        return operand
    if not (isinstance(node.op, ast.Invert) and is_flags(operand.type)):
        operand = plain(body, node, operand)
    if isinstance(operand.type, RawType):
        return raw.operate_one(body, node, type(node.op).__name__, operand)
    if isinstance(node.op, ast.UAdd) and is_number(program, operand.type):
        return (
            intrinsic(program, loc, "int.add", convert(operand, Rep.VALUE), constant(program, loc, 0))
            if is_int(program, operand.type)
            else operand
        )
    if is_int(program, operand.type):
        name = "neg" if isinstance(node.op, ast.USub) else "invert"
        return intrinsic(program, loc, f"int.{name}", convert(operand, Rep.VALUE))
    if is_float(program, operand.type) and isinstance(node.op, ast.USub):
        return intrinsic(program, loc, "float.neg", convert(operand, Rep.FLOAT))
    if is_number(program, operand.type) and isinstance(node.op, ast.USub):
        return call_known(body, loc, "builtins.floats.number_neg", to_value(body, operand, node))
    return _unary_method(body, node, operand)


def _fold_sign(body: Body, node: ast.UnaryOp, expected: Type | None) -> Expression | None:
    """`-1` is a literal."""
    inner = node.operand
    if not (isinstance(node.op, ast.USub) and isinstance(inner, ast.Constant)):
        return None
    value = inner.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    folded = ast.copy_location(ast.Constant(-value), node)
    return check_expression(body, folded, expected)


def _unary_method(body: Body, node: ast.UnaryOp, operand: Expression) -> Expression:
    from meshext_wasm.typecheck.calling import methods

    names = {ast.USub: "__neg__", ast.UAdd: "__pos__", ast.Invert: "__invert__"}
    method = find_operator(body.program, operand.type, names[type(node.op)])
    if method is not None:
        return methods.call_found(body, node, method, operand, [])
    sign = {"USub": "-", "UAdd": "+", "Invert": "~"}[type(node.op).__name__]
    hint = narrow_hint("convert it to a number first", operand.type)
    return refuse(body, node, f"{sign} before {display(operand.type)} is not possible", hint)


def operate_in_place(
    body: Body, node: ast.AST, operator: ast.operator, left: Expression, right: Expression
) -> Expression:
    """The value that `left += right` binds: `__iadd__` where the class has it, else as `left + right`."""
    from meshext_wasm.typecheck.calling import methods

    name = NAMES[type(operator)]
    if not (isinstance(left.type, RawType) or is_failed(left) or is_failed(right)):
        method = find_operator(body.program, left.type, f"__i{name}__")
        if method is not None:
            return methods.call_found(body, node, method, left, [right])
    return operate(body, node, name, left, right)
