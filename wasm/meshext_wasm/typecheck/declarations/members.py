"""Fourth step: what is in the bodies of classes: methods, variables, annotated fields."""

from __future__ import annotations

import ast

from meshext_wasm.source.imports import is_left_out
from meshext_wasm.tree.program import Field, Global
from meshext_wasm.tree.types import NeverType
from meshext_wasm.typecheck.declarations.annotations import is_type_expression, says_alias, to_type
from meshext_wasm.typecheck.declarations.dataclass_fields import read_options
from meshext_wasm.typecheck.declarations.declare import decorator_names, make_function
from meshext_wasm.typecheck.declarations.declared import ClassWork, Declared, Definition, FunctionWork, Site
from meshext_wasm.typecheck.declarations.filter_names import filter_name
from meshext_wasm.typecheck.meanings.symbols import (
    AliasSymbol,
    Binding,
    ClassSymbol,
    ConstantSymbol,
    FunctionSymbol,
    Overloads,
    SpecialSymbol,
    find_member,
)

BINDINGS = {
    "property": Binding.PROPERTY,
    "cached_property": Binding.PROPERTY,
    "classmethod": Binding.CLASS,
    "staticmethod": Binding.STATIC,
}
HARMLESS = frozenset("abstractmethod override final".split())
LIBRARY_ONLY = frozenset("virtual nothrow inline overload host export alternative".split())
UNCALLED = frozenset(
    "__new__ __init_subclass__ __class_getitem__ __del__ __getattr__ __getattribute__ __setattr__ "
    "__delattr__ "
    "__set_name__ __get__ __set__ __delete__ __missing__ __prepare__ __instancecheck__ __subclasscheck__ "
    "__await__ __aenter__ __aexit__ __aiter__ __anext__ __reduce__ __copy__ __deepcopy__ __dir__".split()
)
ATTACHED = ("method", "constructor", "static_method")


def declare_members(declared: Declared, work: ClassWork) -> None:
    """The methods, class variables and annotated fields of a class."""
    site = work.outer.inside(work.symbol)
    work.dataclass = {"frozen": True, "eq": False} if work.symbol.named else read_options(work)
    named = filter_name(work)
    for node in work.node.body:
        if named is not None and node is named.given:
            continue
        if isinstance(node, Definition):
            declare_method(declared, work, site, node)
        elif isinstance(node, ast.AnnAssign):
            declare_annotated(work, site, node)
        elif isinstance(node, ast.Assign):
            declare_assigned(declared, work, site, node)
        elif not isinstance(node, ast.ClassDef | ast.Pass) and not is_text(node):
            site.report(node, "a statement in the body of a class", "it in the module, after the class")
    if named is not None:
        declare_method(declared, work, site, named.node)
        work.written.append(named.node)


def is_text(node: ast.stmt) -> bool:
    """A docstring, or `...`."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def declare_method(declared: Declared, work: ClassWork, site: Site, node: Definition) -> None:
    """One function of a class."""
    symbol, names = work.symbol, decorator_names(node)
    if "overload" in names or (is_left_out(node) and not site.is_library):
        return
    made = make_function(site, node, f"{site.path}.{node.name}")
    made.owner = symbol
    made.binding = Binding.METHOD
    for name, decorator in zip(names, node.decorator_list, strict=True):
        if name in BINDINGS:
            made.binding = BINDINGS[name]
        elif name == "setter":
            declare_setter(declared, work, site, node, made)
            return
        elif name not in HARMLESS and not (site.is_library and name in LIBRARY_ONLY):
            site.report(decorator, f"the decorator {name} is not in the language", "a plain method")
    if node.name in UNCALLED and not site.is_library:
        hint = "__init__, a classmethod, or a method that is called by its name"
        site.report(node, f"nothing calls {node.name} in a compiled program", hint)
    known = symbol.members.get(node.name)
    if known is not None and not site.is_library:
        site.report(node, f"{node.name} is declared twice in {symbol.cls.name}", "another name")
    symbol.members[node.name] = made
    symbol.cls.functions[node.name] = made.function
    symbol.abstract = symbol.abstract or "abstractmethod" in names
    declared.functions.append(FunctionWork(made, node, site))


def declare_setter(
    declared: Declared, work: ClassWork, site: Site, node: Definition, made: FunctionSymbol
) -> None:
    """`@name.setter`."""
    found = work.symbol.members.get(node.name)
    made.function.symbol += ".setter"
    made.binding = Binding.METHOD
    if isinstance(found, FunctionSymbol) and found.binding is Binding.PROPERTY:
        found.setter = made
        declared.functions.append(FunctionWork(made, node, site))
    else:
        site.report(node, f"{node.name} is no property here", "@property first, in the same class")


def declare_annotated(work: ClassWork, site: Site, node: ast.AnnAssign) -> None:
    """`name: type`: a field; with a value, or ClassVar, a variable of the class; in a dataclass, a field."""
    if not isinstance(node.target, ast.Name):
        site.report(node.target, "this target in the body of a class", "a plain name")
        return
    name = node.target.id
    if node.value is not None and says_alias(site, node.annotation):
        work.symbol.members[name] = AliasSymbol(to_type(site, node.value))
        return
    head = node.annotation.value if isinstance(node.annotation, ast.Subscript) else node.annotation
    special = site.symbol_of(head)
    shared = isinstance(special, SpecialSymbol) and special.name == "ClassVar"
    if not shared and (node.value is None or work.dataclass is not None):
        declare_field(work, name, site, node.annotation)
        return
    check_variable(work, site, node.target)
    variable = Global(f"{site.path}.{name}", to_type(site, node.annotation))
    site.module.module.globals.append(variable)
    work.symbol.members[name] = variable
    if node.value is not None:
        work.variables.append((node.target, node.value))


def declare_field(work: ClassWork, name: str, site: Site, annotation: ast.expr) -> None:
    """A slot of the class's instances."""
    work.symbol.fields[name] = Field(name, -1, to_type(site, annotation))


def check_variable(work: ClassWork, site: Site, target: ast.Name) -> None:
    """A class below may have a variable of the same name, and nothing else of that name."""
    base = work.symbol.base
    above = site.program.class_symbol(base.cls) if base is not None else None
    known = find_member(site.program, above, target.id) if above is not None else None
    if known is None or site.is_library:
        return
    if isinstance(known, ConstantSymbol | Global):
        return
    reason = f"{target.id} is no variable in a class above {work.symbol.cls.name}"
    site.report(target, reason, "another name, or the same kind in each class")


def declare_assigned(declared: Declared, work: ClassWork, site: Site, node: ast.Assign) -> None:
    """`name = value`: a variable of the class, or another name of a method of it."""
    for target in node.targets:
        if not isinstance(target, ast.Name):
            site.report(target, "this target in the body of a class", "a plain name")
            continue
        if target.id in ("__slots__", "__match_args__"):
            continue
        known = site.symbol_of(node.value) if isinstance(node.value, ast.Name) else None
        if isinstance(known, FunctionSymbol | ClassSymbol | AliasSymbol):
            work.symbol.members[target.id] = known
            continue
        if isinstance(node.value, ast.Subscript | ast.BinOp) and is_type_expression(site, node.value):
            work.symbol.members[target.id] = AliasSymbol(to_type(site, node.value))
            continue
        check_variable(work, site, target)
        variable = Global(f"{site.path}.{target.id}", NeverType())
        site.module.module.globals.append(variable)
        declared.inferred.setdefault(site.module.name, set()).add(variable)
        work.symbol.members[target.id] = variable
        work.variables.append((target, node.value))


def attach(work: FunctionWork) -> None:
    """`@method(str)`, `@constructor(int)`, `@static_method(int)`: a function of the library that belongs to a
    built-in class."""
    for name, decorator in zip(decorator_names(work.node), work.node.decorator_list, strict=True):
        if name == "alternative" and isinstance(decorator, ast.Call) and work.place.is_library:
            add_alternative(work, decorator)
            continue
        if name not in ATTACHED or not isinstance(decorator, ast.Call) or not work.place.is_library:
            continue
        owner = work.place.symbol_of(decorator.args[0])
        if not isinstance(owner, ClassSymbol):
            work.place.report(decorator, f"{ast.unparse(decorator.args[0])} is no class")
            continue
        attach_to(work, owner, name, decorator)


def attach_to(work: FunctionWork, owner: ClassSymbol, kind: str, decorator: ast.Call) -> None:
    """Put a function into a class."""
    symbol = work.symbol
    name = work.node.name.rstrip("_") if not work.node.name.endswith("__") else work.node.name
    match decorator.args[1:]:
        case [ast.Constant(value=str(given))]:
            name = given
    for keyword in decorator.keywords:
        if isinstance(keyword.value, ast.Constant):
            name = str(keyword.value.value)
    symbol.owner = owner
    if kind == "constructor":
        symbol.binding = Binding.STATIC
        owner.constructors = (*owner.constructors, symbol)
        return
    symbol.binding = Binding.METHOD if kind == "method" else Binding.STATIC
    known = owner.members.get(name)
    if known is None:
        owner.members[name] = symbol
        owner.cls.functions[name] = symbol.function
    elif isinstance(known, FunctionSymbol | Overloads):
        before = known.alternatives if isinstance(known, Overloads) else (known,)
        owner.members[name] = Overloads(name, (*before, symbol))


def add_alternative(work: FunctionWork, decorator: ast.Call) -> None:
    """`@alternative("min")`: one of the functions that a built-in name may mean."""
    match decorator.args:
        case [ast.Constant(value=str(name))]:
            builtins = work.place.program.builtins
            known = builtins.get(name)
            if isinstance(known, FunctionSymbol | Overloads):
                before = known.alternatives if isinstance(known, Overloads) else (known,)
                builtins[name] = Overloads(name, (*before, work.symbol))
            else:
                builtins[name] = work.symbol
