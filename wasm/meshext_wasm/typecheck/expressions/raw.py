"""Machine numbers of the run-time library: operators and the operations of `meshext_wasm.library.raw`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Constant, Expression
from meshext_wasm.tree.intrinsics import OPERATIONS
from meshext_wasm.tree.types import NoneType, RawType, Rep, Type
from meshext_wasm.typecheck.meanings.conversions import to_type, to_value
from meshext_wasm.typecheck.meanings.dispatch import check_expression
from meshext_wasm.typecheck.meanings.making import (
    DOUBLE,
    WIDE,
    WORD,
    class_type,
    convert,
    intrinsic,
    is_failed,
    narrow,
    raw_constant,
    refuse,
)
from meshext_wasm.typecheck.meanings.unions import OBJECT, display

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

MACHINE = {
    "add": "add",
    "sub": "sub",
    "mul": "mul",
    "floordiv": "div",
    "mod": "rem",
    "and": "and",
    "or": "or",
    "xor": "xor",
    "lshift": "shl",
    "rshift": "shr",
}
FLOATING = {"add": "add", "sub": "sub", "mul": "mul", "truediv": "div"}
TYPES = {"word": WORD, "wide": WIDE, "double": DOUBLE}
MEMORY = frozenset(name for name in OPERATIONS if name.startswith("memory."))
OF_EXPECTED = frozenset("value.at value.from_bits blob.new array.new instance.new guard.call".split())


def common(body: Body, node: ast.AST, left: Expression, right: Expression) -> list[Expression] | None:
    """Both operands in one raw type; a literal takes the other's."""
    wanted = left.type if isinstance(left.type, RawType) else right.type
    if isinstance(right.type, RawType) and isinstance(left.type, RawType) and left.type != right.type:
        names = f"{display(left.type)} and {display(right.type)}"
        refuse(body, node, f"raw {names} do not mix", "convert one with word(...), wide(...) or double(...)")
        return None
    both = [to_type(body, each, wanted, node) for each in (left, right)]
    return None if any(map(is_failed, both)) else both


def operate(body: Body, node: ast.AST, name: str, left: Expression, right: Expression) -> Expression:
    """An operator between machine numbers."""
    both = common(body, node, left, right)
    if both is None:
        return refuse(body, node, "these operands are not raw both", "convert one of them")
    kind = both[0].rep.value
    table = FLOATING if kind == "float" else MACHINE
    if name not in table:
        return refuse(body, node, f"{name} is no operation of raw {kind}", "it with another operator")
    return intrinsic(body.program, body.loc(node), f"{kind}.{table[name]}", *both, type_=both[0].type)


def operate_one(body: Body, node: ast.AST, operator: str, operand: Expression) -> Expression:
    """`-x` and `~x` of a machine number."""
    program, loc, kind = body.program, body.loc(node), operand.rep.value
    if kind == "float":
        return intrinsic(program, loc, "float.neg", operand, type_=operand.type)
    if operator == "USub":
        return intrinsic(program, loc, f"{kind}.sub", raw_constant(loc, 0, operand.rep), operand)
    bits = 32 if operand.rep is Rep.WORD else 64
    return intrinsic(program, loc, f"{kind}.xor", operand, raw_constant(loc, (1 << bits) - 1, operand.rep))


def compare(body: Body, node: ast.AST, name: str, left: Expression, right: Expression) -> Expression:
    """`<` and the like between machine numbers, without sign."""
    both = common(body, node, left, right)
    if both is None:
        return refuse(body, node, "these operands are not raw both", "convert one of them")
    return intrinsic(body.program, body.loc(node), f"{both[0].rep.value}.{name}", *both)


def operation_of(name: str) -> str | None:
    """The intrinsic that a function of `raw` is: `array_get` is `array.get`, `load32` is `memory.load32`."""
    for candidate in (f"memory.{name}", name.replace("_", ".", 1)):
        if candidate in OPERATIONS:
            return candidate
    return None


def call(body: Body, node: ast.Call, name: str, expected: Type | None) -> Expression:
    """A call of a function of `raw`."""
    if name in TYPES:
        return convert_to(body, node, TYPES[name])
    operation = operation_of(name)
    if operation is None or node.keywords or len(node.args) != len(OPERATIONS[operation].takes):
        return refuse(body, node, f"raw.{name} is not called like this", "see tree/intrinsics.py")
    takes = OPERATIONS[operation].takes
    arguments = [_argument(body, each, rep) for each, rep in zip(node.args, takes, strict=True)]
    failed = next(filter(is_failed, arguments), None)
    if failed is not None:
        return failed
    type_ = _result(operation, arguments, expected)
    return intrinsic(body.program, body.loc(node), operation, *arguments, type_=type_)


def _argument(body: Body, node: ast.expr, rep: Rep) -> Expression:
    if rep in (Rep.WORD, Rep.WIDE, Rep.FLOAT):
        return to_type(body, check_expression(body, node, RawType(rep)), RawType(rep), node)
    expression = check_expression(body, node)
    return expression if is_failed(expression) else convert(to_value(body, expression, node), rep)


def _result(operation: str, arguments: list[Expression], expected: Type | None) -> Type | None:
    gives = OPERATIONS[operation].gives
    if gives in (Rep.WORD, Rep.WIDE, Rep.FLOAT):
        return RawType(gives)
    if operation == "array.get":
        items = getattr(arguments[0].type, "arguments", ())
        return items[0] if items else expected or OBJECT
    if operation in OF_EXPECTED:
        return expected or OBJECT
    if gives is Rep.VALUE and not operation.startswith("int."):
        return OBJECT
    return NoneType() if gives is Rep.NOTHING else None


def convert_to(body: Body, node: ast.Call, wanted: RawType) -> Expression:
    """`word(x)`, `wide(x)`, `double(x)`: from another raw number, a bool, a small int or a float."""
    if len(node.args) != 1 or node.keywords:
        return refuse(body, node, "a raw type takes one number", "word(x)")
    inner = check_expression(body, node.args[0])
    if is_failed(inner) or inner.type == wanted:
        return inner
    from meshext_wasm.typecheck.expressions.operators import is_number

    program, loc = body.program, body.loc(node)
    if wanted.rep is Rep.FLOAT and is_number(program, inner.type) and not isinstance(inner, Constant):
        return narrow(convert(inner, Rep.FLOAT), wanted)
    if isinstance(inner, Constant) or wanted.rep is Rep.FLOAT:
        return to_type(body, inner, wanted, node)
    if inner.rep is Rep.WIDE:
        return intrinsic(program, loc, "word.from_wide", inner)
    if inner.rep is Rep.BOOL:
        inner = intrinsic(program, loc, "word.from_bool", inner)
    if inner.rep is Rep.WORD:
        return inner if wanted.rep is Rep.WORD else intrinsic(program, loc, "wide.from_word", inner)
    if inner.type == class_type(program, "bool"):
        return (
            intrinsic(program, loc, "word.from_bool", convert(inner, Rep.BOOL))
            if wanted.rep is (Rep.WORD)
            else refuse(body, node, "a bool is no wide", "wide(word(x))")
        )
    small = intrinsic(program, loc, "int.small", convert(inner, Rep.VALUE))
    return small if wanted.rep is Rep.WIDE else intrinsic(program, loc, "word.from_wide", small)


def to_int(body: Body, node: ast.AST, number: Expression) -> Expression:
    """`int(x)` of a machine number, without sign; what does not fit a small int goes to the library."""
    from meshext_wasm.typecheck.meanings.making import call_known

    program, loc = body.program, body.loc(node)
    if number.rep is Rep.FLOAT:
        boxed = narrow(number, class_type(program, "float"))
        return call_known(body, loc, "builtins.floats.to_int", convert(boxed, Rep.VALUE))
    if number.rep is Rep.WIDE:
        return call_known(body, loc, "builtins.integers.from_wide", number)
    return intrinsic(program, loc, "int.tag", intrinsic(program, loc, "wide.from_word", number))
