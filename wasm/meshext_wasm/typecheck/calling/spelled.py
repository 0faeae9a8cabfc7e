"""`operator`: each of its functions is spelled out as the lambda that does the same.

    sorted(pairs, key=itemgetter(1))    # key=lambda a: a[1]
    reduce(operator.or_, flags)         # lambda a, b: a | b

So they take what the operators take, and where they stand tells the types.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.types import Type
from meshext_wasm.typecheck.meanings.dispatch import check_expression
from meshext_wasm.typecheck.meanings.making import refuse
from meshext_wasm.typecheck.meanings.symbols import ModuleSymbol, SpecialSymbol, Symbol
from meshext_wasm.typecheck.meanings.synthesis import write_code

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

MODULE = "operator"
BINARY = {
    "lt": "<", "le": "<=", "eq": "==", "ne": "!=", "ge": ">=", "gt": ">", "is_": "is", "is_not": "is not",
    "add": "+", "and_": "&", "floordiv": "//", "lshift": "<<", "mod": "%", "mul": "*", "matmul": "@",
    "or_": "|", "pow": "**", "rshift": ">>", "sub": "-", "truediv": "/", "xor": "^", "concat": "+",
}  # fmt: skip
FUNCTIONS = {
    **{name: f"lambda a, b: a {sign} b" for name, sign in BINARY.items()},
    "not_": "lambda a: not a",
    "truth": "lambda a: True if a else False",
    "abs": "lambda a: BUILTINS.abs(a)",
    "inv": "lambda a: ~a",
    "invert": "lambda a: ~a",
    "neg": "lambda a: -a",
    "pos": "lambda a: +a",
    "contains": "lambda a, b: b in a",
    "getitem": "lambda a, b: a[b]",
}
GETTERS = {
    "itemgetter": "numbers and texts",
    "attrgetter": "names",
    "methodcaller": "a name, then numbers and texts",
}
NAMES = " ".join(sorted([*FUNCTIONS, *GETTERS]))


def spelled_name(symbol: Symbol | None) -> str | None:
    """The function of `operator` that a name means."""
    if isinstance(symbol, SpecialSymbol) and symbol.name.startswith(f"{MODULE}."):
        return symbol.name.removeprefix(f"{MODULE}.")
    return None


def read_spelled(body: Body, node: ast.AST, name: str, expected: Type | None) -> Expression:
    """A function as a value."""
    if name in GETTERS:
        return refuse(body, node, f"{name} is no value", f"{name}(...)")
    return check_expression(body, spelled(node, FUNCTIONS[name]), expected)


def call_spelled(body: Body, node: ast.Call, name: str, expected: Type | None) -> Expression:
    """A call of one: what it gives at once, or the function that a getter makes."""
    if name not in GETTERS:
        call = ast.Call(spelled(node.func, FUNCTIONS[name]), node.args, node.keywords)
        return check_expression(body, ast.copy_location(call, node), expected)
    text = getter(name, node)
    if text is None:
        reason = f"{name} takes {GETTERS[name]}, written out"
        return refuse(body, node, reason, "a lambda: lambda x: ...")
    return check_expression(body, spelled(node, text), expected)


def as_lambda(body: Body, node: ast.expr) -> ast.expr:
    """The lambda that stands for an argument such as `itemgetter(1)` or `operator.or_`; any other as it is.

    What a lambda takes is known when the other arguments are.
    """
    if isinstance(node, ast.Call):
        name = meant(body, node.func)
        text = getter(name, node) if name is not None and name in GETTERS else None
        return node if text is None else spelled(node, text)
    name = meant(body, node)
    return node if name is None or name not in FUNCTIONS else spelled(node, FUNCTIONS[name])


def meant(body: Body, node: ast.expr) -> str | None:
    """The function of `operator` that a node names, as its module imports it."""
    from meshext_wasm.typecheck.expressions.names import resolve

    imported = body.module.names
    match node:
        case ast.Name(id=name):
            found = imported.get(name)
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            owner = imported.get(name)
            found = owner.names.get(attribute) if isinstance(owner, ModuleSymbol) else None
        case _:
            return None
    return None if spelled_name(found) is None else spelled_name(resolve(body, node))


def getter(name: str, node: ast.Call) -> str | None:
    """The lambda of `itemgetter(...)` and its like; None where an argument is not written out."""
    if not node.args or not all(map(is_literal, [*node.args, *(each.value for each in node.keywords)])):
        return None
    if name == "itemgetter":
        parts = [] if node.keywords else [f"a[{ast.unparse(each)}]" for each in node.args]
        return tuple_of(parts)
    words = [each.value for each in node.args if isinstance(each, ast.Constant) and is_path(each.value)]
    if name == "attrgetter":
        known = not node.keywords and len(words) == len(node.args)
        return tuple_of([f"a.{each!s}" for each in words]) if known else None
    first = node.args[0]
    if not isinstance(first, ast.Constant) or first.value not in words:
        return None
    call = ast.Call(ast.Name("f", ast.Load()), node.args[1:], node.keywords)
    return f"lambda a: a.{words[0]!s}{ast.unparse(call)[1:]}"


def tuple_of(parts: list[str]) -> str | None:
    """One part, or several in a tuple."""
    if not parts:
        return None
    return f"lambda a: {parts[0]}" if len(parts) == 1 else f"lambda a: ({', '.join(parts)})"


def is_literal(node: ast.expr) -> bool:
    """Whether an argument is the same at every call, as it is written out."""
    if isinstance(node, ast.Tuple):
        return all(map(is_literal, node.elts))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    return isinstance(node, ast.Constant)


def is_path(value: object) -> bool:
    """Whether it is a name, or several with dots between them."""
    return isinstance(value, str) and all(each.isidentifier() for each in value.split("."))


def spelled(node: ast.AST, text: str) -> ast.expr:
    """The lambda for a node; the same one each time that the node is checked."""
    kept = getattr(node, "spelled", None)
    if isinstance(kept, ast.Lambda):
        return kept
    statement = write_code(text, node)
    assert isinstance(statement, ast.Expr)
    node.spelled = statement.value  # type: ignore[attr-defined]  # rounds of checking know nodes apart by identity
    return statement.value
