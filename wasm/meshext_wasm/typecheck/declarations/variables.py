"""Variables of modules: types that annotations say, and names that are one literal for good."""

from __future__ import annotations

import ast
from collections import Counter

from meshext_wasm.scope.names import walk
from meshext_wasm.tree.program import Global
from meshext_wasm.tree.types import NeverType, RawType
from meshext_wasm.typecheck.declarations.annotations import to_type
from meshext_wasm.typecheck.declarations.declare import statements
from meshext_wasm.typecheck.declarations.declared import Declared, Site
from meshext_wasm.typecheck.declarations.signatures import literal_of
from meshext_wasm.typecheck.meanings.groups import read_groups
from meshext_wasm.typecheck.meanings.making import constant
from meshext_wasm.typecheck.meanings.symbols import ConstantSymbol, FunctionSymbol, SpecialSymbol
from meshext_wasm.typecheck.meanings.unions import is_assignable


def declare_variables(declared: Declared, site: Site) -> None:
    """Give the variables of a module what is known of them before anything runs."""
    written = times_written(site)
    for node in statements(site.source.tree.body):
        match node:
            case ast.AnnAssign(target=ast.Name(id=name)):
                declare_annotated(declared, site, node, name)
            case ast.Assign(targets=[ast.Name(id=name)]):
                pass
            case _:
                continue
        value = literal_of(node.value) if node.value is not None else ...
        variable = site.module.names.get(name)
        if isinstance(variable, Global) and written[name] == 1:
            declare_pattern(site, variable, node.value)
        if value is ... or written[name] != 1 or not isinstance(variable, Global):
            continue
        made = constant(site.program, site.loc(node), value)  # type: ignore[arg-type]
        if isinstance(variable.type, NeverType):
            declared.inferred[site.module.name].discard(variable)
            variable.type = made.type
        if not isinstance(variable.type, RawType) and is_assignable(site.program, made.type, variable.type):
            site.module.names[name] = ConstantSymbol(value, made.type, variable)  # type: ignore[arg-type]


def declare_pattern(site: Site, variable: Global, value: ast.expr | None) -> None:
    """`NAME = re.compile("...")`: what its matches have is known from now on."""
    if not isinstance(value, ast.Call) or not is_compile(site, value.func):
        return
    groups = read_groups(value, 1)
    if groups is not None:
        site.program.patterns[variable] = groups


def is_compile(site: Site, function: ast.expr) -> bool:
    """Whether it is `re.compile`."""
    symbol = site.symbol_of(function) if isinstance(function, ast.Name | ast.Attribute) else None
    return isinstance(symbol, FunctionSymbol) and symbol.function.symbol == "re.compile"


def declare_annotated(declared: Declared, site: Site, node: ast.AnnAssign, name: str) -> None:
    """`NAME: type = value`."""
    variable = site.module.names.get(name)
    if not isinstance(variable, Global):
        return
    symbol = site.symbol_of(node.annotation)
    if isinstance(symbol, SpecialSymbol) and symbol.name in ("Final", "ClassVar"):
        return
    variable.type = to_type(site, node.annotation)
    declared.inferred[site.module.name].discard(variable)


def times_written(site: Site) -> Counter[str]:
    """How many places write each name of a module; a `global` in a function counts as many."""
    found: Counter[str] = Counter()
    for node in walk(site.source.tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found[node.id] += 1
        elif isinstance(node, ast.Global):
            found.update(dict.fromkeys(node.names, 2))
    for node in statements(site.source.tree.body):
        if isinstance(node, ast.For | ast.While | ast.If | ast.Try | ast.With):
            found.update(
                {each.id: 1 for each in walk(node) if isinstance(each, ast.Name) and is_stored(each)}
            )
    return found


def is_stored(node: ast.Name) -> bool:
    """Whether a name is written where it stands."""
    return not isinstance(node.ctx, ast.Load)
