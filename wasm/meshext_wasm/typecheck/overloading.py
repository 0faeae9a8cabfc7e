"""`@overload` in the library: several signatures of one function."""

from __future__ import annotations

import ast
from dataclasses import replace

from meshext_wasm.tree.program import Function
from meshext_wasm.typecheck.declare import decorator_names, statements
from meshext_wasm.typecheck.declared import Declared, Definition, FunctionWork, Site
from meshext_wasm.typecheck.signatures import declare_signature
from meshext_wasm.typecheck.symbols import FunctionSymbol, Overloads, Parameter, Signature


def bind_overloads(declared: Declared) -> None:
    """Give every function that has them its overloads, all of them calling the one implementation."""
    for site in declared.sites.values():
        if not site.is_library:
            continue
        found: dict[str, list[Definition]] = {}
        for node in statements(site.source.tree.body):
            if isinstance(node, Definition) and "overload" in decorator_names(node):
                found.setdefault(node.name, []).append(node)
        for name, nodes in found.items():
            bind_name(declared, site, name, nodes)


def bind_name(declared: Declared, site: Site, name: str, nodes: list[Definition]) -> None:
    """The overloads of one function."""
    implementation = site.module.names.get(name)
    if not isinstance(implementation, FunctionSymbol):
        site.report(nodes[0], f"{name} has overloads and no implementation")
        return
    made = tuple(alternative(declared, site, node, implementation) for node in nodes)
    site.module.names[name] = Overloads(name, made)


def alternative(
    declared: Declared, site: Site, node: Definition, implementation: FunctionSymbol
) -> FunctionSymbol:
    """One signature, with the defaults of the implementation."""
    loc = site.loc(node)
    symbol = FunctionSymbol(
        node.name,
        Function(implementation.function.symbol, loc),
        Signature((), implementation.signature.result),
    )
    declare_signature(declared, FunctionWork(symbol, node, site))
    declared.defaults.pop(node, None)
    defaults = {each.name: each.default for each in implementation.signature.parameters}
    parameters = [with_default(each, defaults) for each in symbol.signature.parameters]
    signature = Signature(tuple(parameters), symbol.signature.result)
    return FunctionSymbol(node.name, implementation.function, signature)


def with_default(parameter: Parameter, defaults: dict[str, object]) -> Parameter:
    """An overload's `= ...` is the implementation's default."""
    if parameter.default is None:
        return parameter
    return replace(parameter, default=defaults.get(parameter.name) or parameter.default)  # type: ignore[arg-type]


def is_ellipsis(node: ast.expr) -> bool:
    """`...`."""
    return isinstance(node, ast.Constant) and node.value is Ellipsis
