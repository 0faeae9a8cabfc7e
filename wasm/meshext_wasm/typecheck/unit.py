"""A whole unit: declared step by step, then every body checked.

    names -> imports -> aliases, bases -> members, signatures -> fields, tables -> module bodies -> functions

The library is one unit, checked once; a program is checked against what the library declares.
"""

from __future__ import annotations

import ast

from meshext_wasm.diagnostics.diagnostic import Collector, Diagnostic
from meshext_wasm.scope.names import inside, walk
from meshext_wasm.source.loading import Loaded
from meshext_wasm.tree import program as tree
from meshext_wasm.tree.program import Loc
from meshext_wasm.typecheck.bodies import check_functions, check_modules, infer_fields
from meshext_wasm.typecheck.declarations.caching import declare_caches
from meshext_wasm.typecheck.declarations.dataclass_code import synthesise
from meshext_wasm.typecheck.declarations.declare import declare_module
from meshext_wasm.typecheck.declarations.declared import Declared, Definition
from meshext_wasm.typecheck.declarations.fields import CONSTRUCTORS, declare_fields, is_own, self_name
from meshext_wasm.typecheck.declarations.headers import bind_bases, declare_aliases
from meshext_wasm.typecheck.declarations.importing import bind_imports, bind_site, fill_builtins
from meshext_wasm.typecheck.declarations.layout import in_order, lay_out
from meshext_wasm.typecheck.declarations.members import attach, declare_members
from meshext_wasm.typecheck.declarations.overloading import bind_overloads
from meshext_wasm.typecheck.declarations.signatures import declare_signature
from meshext_wasm.typecheck.declarations.variables import declare_variables
from meshext_wasm.typecheck.meanings.body import Unit
from meshext_wasm.typecheck.meanings.symbols import Program, find_field


def check_library(loaded: Loaded, collector: Collector) -> tuple[tree.Unit, Program]:
    """The unit of all library modules, and what programs need of it."""
    program = Program()
    return check_unit("library", program, loaded, collector), program


def check_program(program: Program, loaded: Loaded, collector: Collector) -> tree.Unit:
    """The unit of a program's own modules, against a checked library, which stays as it is."""
    program = Program(dict(program.modules), dict(program.classes), dict(program.builtins))
    fresh = [each for each in loaded.modules if not (each.library and each.name in program.modules)]
    own = Loaded(fresh, loaded.imports)
    return check_unit("program", program, own, collector)


def check_unit(name: str, program: Program, loaded: Loaded, collector: Collector) -> tree.Unit:
    """Modules to a checked unit; the tree means nothing if the collector got mistakes."""
    declared = Declared(Unit(program, collector))
    for source in loaded.modules:
        if source.library and source.name in program.modules:
            continue
        if source.name in program.modules:
            place = Loc(source.file, 1, 0, 1, 0)
            reason = f"{source.name} is the name of a module of the library"
            collector.add(Diagnostic(place, reason, "another name for the file"))
            continue
        declare_module(declared, source)
    kept = Loaded([each for each in loaded.modules if each.name in declared.sites], loaded.imports)
    declare_all(declared, kept)
    check_modules(declared)
    infer_fields(declared)
    check_modules(declared, final=True)
    check_functions(declared)
    return tree.Unit(name, [site.module.module for site in declared.sites.values()])


def declare_all(declared: Declared, loaded: Loaded) -> None:
    """Everything but what is inside of functions."""
    bind_imports(declared, loaded, report=False)
    fill_builtins(declared)
    bind_imports(declared, loaded, report=True)
    for site in declared.sites.values():
        declare_aliases(declared, site, variables=True)
    bind_imports(declared, loaded, report=False)
    fill_builtins(declared)
    for work in declared.classes.values():
        bind_bases(declared, work)
    for site in declared.sites.values():
        bind_site(site, loaded, report=False)
        declare_aliases(declared, site, variables=False)
        declare_variables(declared, site)
    declare_caches(declared)
    bind_imports(declared, loaded, report=False)
    fill_builtins(declared)
    for work in in_order(declared):
        declare_members(declared, work)
    for each in declared.functions:
        attach(each)
    for work in in_order(declared):
        synthesise(declared, work)
    for each in list(declared.functions):
        declare_signature(declared, each)
    for work in in_order(declared):
        declare_fields(work)
    lay_out(declared)
    bind_overloads(declared)
    bind_imports(declared, loaded, report=False)
    fill_builtins(declared)
    note_writable(declared)


def note_writable(declared: Declared) -> None:
    """Fields that something other than a constructor writes: those of the class where a method writes them
    through its `self`, else all of the name."""
    unit, owners = declared.unit, {work.node: work.symbol.owner for work in declared.functions}
    unit.own_fields = {slot for work in declared.classes.values() for slot in work.symbol.fields.values()}
    for site in declared.sites.values():
        for node in walk(site.source.tree):
            if not isinstance(node, Definition):
                continue
            own = self_name(node) if owners.get(node) is not None else ""
            for target in written_in(node):
                owner = owners.get(node) if is_own(target, own) else None
                found = find_field(unit.program, owner, target.attr) if owner is not None else None
                if found is None:
                    unit.writable_names.add(target.attr)
                elif node.name not in CONSTRUCTORS:
                    unit.writable.add(found[1])


def written_in(node: Definition) -> list[ast.Attribute]:
    """The attributes that a function itself writes."""
    parts = [part for each in node.body for part in inside(each)]
    return [each for each in parts if isinstance(each, ast.Attribute) and not isinstance(each.ctx, ast.Load)]


def strip(program: Program) -> None:
    """Leave the bodies of functions out, so that what the library declares is small."""
    for module in program.modules.values():
        for function in module.module.functions:
            if function.body is not None:
                function.body, function.locals = [], []
        module.module.body = None
