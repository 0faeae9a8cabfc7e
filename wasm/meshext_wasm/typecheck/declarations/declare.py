"""First step: the names that modules and classes have, before anything is known of what they mean."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeGuard

from meshext_wasm.scope.names import inside, walk
from meshext_wasm.source.file import SourceFile
from meshext_wasm.tree.program import Class, Function, Global, Module
from meshext_wasm.tree.types import ClassType, NeverType, NoneType
from meshext_wasm.typecheck.declarations.declared import ClassWork, Declared, Definition, FunctionWork, Site
from meshext_wasm.typecheck.meanings.symbols import (
    ClassSymbol,
    ConstantSymbol,
    FunctionSymbol,
    ModuleSymbol,
    Signature,
)


def declare_module(declared: Declared, source: SourceFile) -> None:
    """The module's own names: classes, functions, variables."""
    unit = declared.unit
    module = ModuleSymbol(source.name, Module(source.name, source.file))
    site = Site(unit, source, module)
    unit.program.modules[source.name] = module
    unit.sources[source.name] = source
    declared.sites[source.name] = site
    module.module.body = Function(f"{source.name}.<module>", site.loc(source.tree), outside=source.library)
    for node in statements(source.tree.body):
        declare_statement(declared, site, node)
    if not source.library and "__name__" not in module.names:
        text = ClassType(unit.program.builtin_class("str"))
        own = Global(f"{source.name}.__name__", text)
        module.names["__name__"] = ConstantSymbol(source.name, text, own)


def statements(nodes: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, those under `if` and `try` included."""
    for node in nodes:
        yield node
        if isinstance(node, ast.If | ast.Try | ast.For | ast.While | ast.With):
            for name in ("body", "orelse", "finalbody"):
                yield from statements(getattr(node, name, []))
            for handler in getattr(node, "handlers", []):
                yield from statements(handler.body)


def declare_statement(declared: Declared, site: Site, node: ast.stmt) -> None:
    """The names of one statement."""
    if isinstance(node, ast.ClassDef):
        declare_class(declared, site, node)
    elif isinstance(node, Definition):
        declare_function(declared, site, node)
    elif not isinstance(node, ast.Import | ast.ImportFrom):
        for name in names_of(node):
            if name not in site.module.names:
                declare_variable(declared, site, name)


def names_of(node: ast.stmt) -> Iterator[str]:
    """Variables that a statement of a module binds, those of statements in it left to themselves."""
    if isinstance(node, ast.Try):
        yield from (each.name for each in node.handlers if each.name)
        return
    parts: list[ast.AST] = [node]
    if isinstance(node, ast.For):
        parts = [node.target, node.iter]
    elif isinstance(node, ast.If | ast.While):
        parts = [node.test]
    elif isinstance(node, ast.With):
        parts = list(node.items)
    for part in parts:
        yield from (
            each.id for each in inside(part) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
        )


def declare_variable(declared: Declared, site: Site, name: str) -> None:
    """A variable of a module; its type comes later."""
    variable = Global(f"{site.path}.{name}", NeverType())
    site.module.names[name] = variable
    site.module.module.globals.append(variable)
    declared.inferred.setdefault(site.module.name, set()).add(variable)


def declare_class(declared: Declared, site: Site, node: ast.ClassDef) -> None:
    """A class, and those inside of it."""
    names = site.classes[-1].members if site.classes else site.module.names
    if node.name in names:
        site.report(node, f"{node.name} is declared twice", "another name")
        return
    symbol = f"{site.path}.{node.name}"
    cls = Class(symbol, node.name, site.loc(node), None)
    made = ClassSymbol(cls, names=frozenset() if site.is_library else frozenset(names_in_class(node)))
    names[node.name] = made
    site.program.classes[cls] = made
    site.module.module.classes.append(cls)
    declared.classes[node] = ClassWork(made, node, site)
    builtin = builtin_name(node)
    if builtin is not None and site.is_library:
        cls.symbol, cls.name = f"builtins.{builtin}", builtin
        site.program.builtins[builtin] = made
    for each in node.body:
        if isinstance(each, ast.ClassDef):
            declare_class(declared, site.inside(made), each)


def names_in_class(node: ast.ClassDef) -> Iterator[str]:
    """What the body of a class binds, and what its methods write to their instance."""
    for each in node.body:
        match each:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
                yield from (found.attr for found in walk(each) if is_written(found))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))


def is_written(node: ast.AST) -> TypeGuard[ast.Attribute]:
    """Whether it is `self.name = ...`."""
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    )


def builtin_name(node: ast.ClassDef) -> str | None:
    """The name in `@builtin("list")`."""
    for each in node.decorator_list:
        match each:
            case ast.Call(func=ast.Name(id="builtin"), args=[ast.Constant(value=str(name))]):
                return name
    return None


def decorator_names(node: Definition | ast.ClassDef) -> list[str]:
    """The last part of each decorator's name."""
    calls = [each.func if isinstance(each, ast.Call) else each for each in node.decorator_list]
    return [each.attr if isinstance(each, ast.Attribute) else getattr(each, "id", "") for each in calls]


def declare_function(declared: Declared, site: Site, node: Definition) -> None:
    """A function of a module; its signature comes later."""
    if site.is_library and "overload" in decorator_names(node):
        return
    if node.name in site.module.names and not site.is_library:
        site.report(node, f"{node.name} is declared twice", "another name")
        return
    symbol = make_function(site, node, f"{site.path}.{node.name}")
    if node.name in site.module.names:  # alternatives of one name, which a decorator puts in their place
        symbol.function.symbol += f":{node.lineno}"
    else:
        site.module.names[node.name] = symbol
    declared.functions.append(FunctionWork(symbol, node, site))


def make_function(site: Site, node: Definition, symbol: str) -> FunctionSymbol:
    """A function before its signature is known."""
    function = Function(symbol, site.loc(node), outside=site.is_library)
    site.module.module.functions.append(function)
    waits = isinstance(node, ast.AsyncFunctionDef)
    return FunctionSymbol(node.name, function, Signature((), NoneType()), waits=waits)
