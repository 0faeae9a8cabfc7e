"""Fifth step: the slots of instances, found in the methods that write them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from meshext_wasm.scope.names import inside, walk
from meshext_wasm.tree.program import Field, Global
from meshext_wasm.tree.types import NeverType, ObjectType
from meshext_wasm.typecheck.declarations.annotations import to_type
from meshext_wasm.typecheck.declarations.declare import decorator_names
from meshext_wasm.typecheck.declarations.declared import ClassWork, Definition, Site
from meshext_wasm.typecheck.meanings.symbols import ClassSymbol, FunctionSymbol, find_field, find_member

CONSTRUCTORS = ("__init__", "__post_init__")


def declare_fields(work: ClassWork) -> None:
    """All fields of a class; those of its base are known. Types without annotation come later."""
    site = work.outer.inside(work.symbol)
    for method in methods_of(work.body):
        for node, annotation in written(method):
            declare_written(work, site, node, annotation)
    work.symbol.settled |= settled(work)


def methods_of(body: list[ast.stmt]) -> list[Definition]:
    """Methods that have a `self`, constructors first."""
    found = [
        each
        for each in body
        if isinstance(each, Definition) and not {"classmethod", "staticmethod"} & set(decorator_names(each))
    ]
    return sorted(found, key=lambda each: each.name not in CONSTRUCTORS)


def self_name(method: Definition) -> str:
    """What a method calls its instance."""
    args = [*method.args.posonlyargs, *method.args.args]
    return args[0].arg if args else ""


def written(method: Definition) -> Iterator[tuple[ast.Attribute, ast.expr | None]]:
    """`self.name = ...` in a method, with the annotation if there is one."""
    name = self_name(method)
    for statement in method.body:
        for node in inside(statement):
            if isinstance(node, ast.AnnAssign) and is_own(node.target, name):
                assert isinstance(node.target, ast.Attribute)
                yield node.target, node.annotation
    for statement in method.body:
        for node in inside(statement):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_own(node, name):
                yield node, None


def is_own(node: ast.expr, name: str) -> bool:
    """Whether it is `self.something`."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name


def declare_written(work: ClassWork, site: Site, node: ast.Attribute, annotation: ast.expr | None) -> None:
    """A field that a method writes, unless it is known."""
    symbol, name = work.symbol, node.attr
    if find_field(site.program, symbol, name) is not None:
        return
    member = find_member(site.program, symbol, name)
    if isinstance(member, Global):
        hint = f"`{name}: ...` in the class, without a value, and the value in __init__"
        site.report(node, f"{name} is a variable of the class and not of each instance", hint)
        symbol.fields[name] = Field(name, -1, ObjectType())
    elif member is None:
        type_ = to_type(site, annotation) if annotation is not None else NeverType()
        symbol.fields[name] = Field(name, -1, type_)
        if annotation is None:
            work.inferred.add(name)
    elif not isinstance(member, FunctionSymbol):
        site.report(node, f"{name} is a name of the class already", "another name")


def settled(work: ClassWork) -> set[str]:
    """Fields that `__init__` sets before anybody else sees the instance."""
    init = next((each for each in methods_of(work.body) if each.name == "__init__"), None)
    found: set[str] = set()
    if init is None:
        return found
    name = self_name(init)
    for statement in init.body:
        if escapes(statement, name, found):
            break
        found |= stored(statement, name)
    return found & set(work.symbol.fields)


def stored(statement: ast.stmt, name: str) -> set[str]:
    """The fields that one statement surely sets."""
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        targets: list[ast.expr] = [statement.target]
    elif isinstance(statement, ast.Assign):
        targets = list(statement.targets)
    else:
        return set()
    flat = [part for each in targets for part in (each.elts if isinstance(each, ast.Tuple) else [each])]
    return {each.attr for each in flat if isinstance(each, ast.Attribute) and is_own(each, name)}


def escapes(statement: ast.stmt, name: str, known: set[str]) -> bool:
    """Whether a statement uses the instance in another way than writing its fields and reading known ones."""
    harmless: set[ast.AST] = set()
    nodes = walk(statement)
    for node in nodes:
        if not isinstance(node, ast.Attribute) or not is_own(node, name):
            continue
        if isinstance(node.ctx, ast.Store) or node.attr in known:
            harmless.add(node.value)
    used = (each for each in nodes if isinstance(each, ast.Name))
    return any(each.id in (name, "super") and each not in harmless for each in used)


def number_fields(symbol: ClassSymbol, start: int) -> int:
    """Give the fields of a class their slots after those of its base; the number of slots so far."""
    for index, slot in enumerate(symbol.fields.values()):
        slot.index = start + index
    symbol.cls.fields = list(symbol.fields.values())
    return start + len(symbol.fields)
