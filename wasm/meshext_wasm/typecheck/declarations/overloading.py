"""`@overload` in the library: several signatures of one function."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace

from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.program import Function
from meshext_wasm.typecheck.declarations.declare import decorator_names, statements
from meshext_wasm.typecheck.declarations.declared import Declared, Definition, FunctionWork, Site
from meshext_wasm.typecheck.declarations.signatures import declare_signature
from meshext_wasm.typecheck.meanings.symbols import FunctionSymbol, Overloads, Parameter, Signature, Symbol


def bind_overloads(declared: Declared) -> None:
    """Give every function that has them its overloads, all of them calling the one implementation. Method
    tables are made already."""
    for site in declared.sites.values():
        if site.is_library:
            bind_nodes(declared, site, statements(site.source.tree.body), site.module.names)
    for work in declared.classes.values():
        if work.outer.is_library:
            bind_nodes(declared, work.outer.inside(work.symbol), work.node.body, work.symbol.members)


def bind_nodes(declared: Declared, site: Site, nodes: Iterable[ast.stmt], names: dict[str, Symbol]) -> None:
    """The overloads among the statements of a module or class."""
    found: dict[str, list[Definition]] = {}
    for node in nodes:
        if isinstance(node, Definition) and "overload" in decorator_names(node):
            found.setdefault(node.name, []).append(node)
    for name, group in found.items():
        implementation = names.get(name)
        if not isinstance(implementation, FunctionSymbol):
            site.report(group[0], f"{name} has overloads and no implementation")
            continue
        made = tuple(alternative(declared, site, node, implementation) for node in group)
        names[name] = Overloads(name, made)


def alternative(
    declared: Declared, site: Site, node: Definition, implementation: FunctionSymbol
) -> FunctionSymbol:
    """One signature, with the defaults of the implementation."""
    given = implementation.signature
    function = Function(implementation.function.symbol, site.loc(node))
    symbol = replace(implementation, function=function, signature=Signature((), given.result))
    declare_signature(declared, FunctionWork(symbol, node, site))
    declared.defaults.pop(node, None)
    defaults = {each.name: each.default for each in given.parameters}
    parameters = tuple(with_default(each, defaults) for each in symbol.signature.parameters)
    result = symbol.signature.result
    return replace(implementation, signature=Signature(parameters, result))


def with_default(parameter: Parameter, defaults: dict[str, Expression | None]) -> Parameter:
    """An overload's `= ...` is the implementation's default."""
    if parameter.default is None:
        return parameter
    return replace(parameter, default=defaults.get(parameter.name) or parameter.default)
