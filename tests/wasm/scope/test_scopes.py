"""Which names belong to which function."""

from __future__ import annotations

import ast
import symtable

import pytest

from meshext_wasm.scope.scopes import build_scopes

PROGRAMS = [
    "def f(a, b=1, *c, d, **e):\n    x = a\n    return x",
    "def f(a):\n    def g(b):\n        return a + b\n    return g",
    "def f():\n    n = 0\n    def g():\n"
    "        nonlocal n\n        n += 1\n        return lambda: n\n    return g",
    "def f(xs):\n    return sorted(xs, key=lambda x: x + len(xs))",
    "def f():\n    global a\n    a = 1\n"
    "    for i in a:\n        with i as j:\n            k = j\n    return len(k)",
    "def f(x):\n    try:\n        import json\n"
    "    except ValueError as e:\n        pass\n    (a, [b, *c]) = x",
    "def f(x):\n    match x:\n        case [a, *b] | {'k': a, **b}:\n"
    "            pass\n        case str() as c:\n            del c",
    "def f(x):\n    if (y := x) and (z := y):\n        x[0], x.a = y, z",
]


@pytest.mark.parametrize("text", PROGRAMS)
def test_as_pythons_own_table(text: str) -> None:
    node = ast.parse(text).body[0]
    assert isinstance(node, ast.FunctionDef)
    scopes = build_scopes(node)
    tables = {
        (each.get_name(), each.get_lineno()): each
        for each in walk(symtable.symtable(text, "f.py", "exec"))
        if isinstance(each, symtable.Function)
    }
    for owner, scope in scopes.items():
        assert isinstance(owner, ast.FunctionDef | ast.Lambda)
        name = "lambda" if isinstance(owner, ast.Lambda) else owner.name
        table = tables[name, owner.lineno]
        imported = {each.get_name() for each in table.get_symbols() if each.is_imported()}
        assert scope.bound == set(table.get_locals()) - imported
        assert scope.captured == set(table.get_frees())
        assert scope.globals == {each.get_name() for each in table.get_symbols() if each.is_declared_global()}


def walk(table: symtable.SymbolTable) -> list[symtable.SymbolTable]:
    """A table and all inside of it."""
    return [table, *(inner for child in table.get_children() for inner in walk(child))]


def test_names_that_are_bound_once() -> None:
    text = (
        "def f(a, b):\n    b, c = 1, 2\n    for d in a:\n        e = d\n    if a:\n        g = 1\n    g = 2"
    )
    node = ast.parse(text).body[0]
    assert isinstance(node, ast.FunctionDef)
    assert build_scopes(node)[node].once == {"a", "c"}
