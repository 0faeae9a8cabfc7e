"""Sixth step: method tables. A method has a place in them where a class below overrides it, or may."""

from __future__ import annotations

import ast

from meshext_wasm.tree.program import Method
from meshext_wasm.tree.types import ClassType
from meshext_wasm.typecheck.declarations.declare import decorator_names
from meshext_wasm.typecheck.declarations.declared import ClassWork, Declared
from meshext_wasm.typecheck.declarations.fields import number_fields
from meshext_wasm.typecheck.meanings.generics import substitute
from meshext_wasm.typecheck.meanings.symbols import (
    Binding,
    ClassSymbol,
    FunctionSymbol,
    Kind,
    Parameter,
    Program,
)
from meshext_wasm.typecheck.meanings.unions import base_as, display, is_assignable

COMPARISONS = frozenset("__eq__ __lt__ __le__ __gt__ __ge__".split())
OWN = frozenset("__init__ __post_init__ __new__ __init_subclass__".split())


def in_order(declared: Declared) -> list[ClassWork]:
    """The classes of the unit, bases first."""
    works = {each.symbol: each for each in declared.classes.values()}
    done: dict[ClassSymbol, ClassWork] = {}

    def visit(work: ClassWork) -> None:
        if work.symbol in done:
            return
        base = work.symbol.base
        above = declared.unit.program.classes.get(base.cls) if base is not None else None
        if above is not None and above in works:
            visit(works[above])
        done[work.symbol] = work

    for each in works.values():
        visit(each)
    return list(done.values())


def lay_out(declared: Declared) -> None:
    """Slots and method tables of every class of the unit."""
    works = in_order(declared)
    program = declared.unit.program
    for work in works:
        number_fields(work.symbol, slots_above(program, work.symbol))
        mark_virtual(declared, work)
    for work in works:
        fill_table(work.symbol)


def slots_above(program: Program, symbol: ClassSymbol) -> int:
    """How many slots the bases have."""
    base = program.classes.get(symbol.base.cls) if symbol.base else None
    if base is None:
        return 0
    return slots_above(program, base) + len(base.fields)


def mark_virtual(declared: Declared, work: ClassWork) -> None:
    """Give a place to what is declared virtual, and to what this class overrides."""
    symbol, program = work.symbol, declared.unit.program
    root = symbol is program.builtins.get("object")
    for name, member in symbol.members.items():
        if not isinstance(member, FunctionSymbol) or member.binding in (Binding.STATIC, Binding.CLASS):
            continue
        node = next((each.node for each in declared.functions if each.symbol is member), None)
        if root or (node is not None and {"virtual", "abstractmethod"} & set(decorator_names(node))):
            make_virtual(symbol, member)
        above = overridden(program, symbol, name)
        if above is not None and name not in OWN:
            override(work, member, node, above)
            open_above(program, symbol)


def open_above(program: Program, symbol: ClassSymbol) -> None:
    """A value of a base may be of a class with a method of its own: calls there go by the table."""
    base = program.classes.get(symbol.base.cls) if symbol.base else None
    while base is not None:
        base.open = True
        base = program.classes.get(base.base.cls) if base.base else None


def overridden(program: Program, symbol: ClassSymbol, name: str) -> tuple[ClassSymbol, FunctionSymbol] | None:
    """The method of a base that has the name."""
    base = program.classes.get(symbol.base.cls) if symbol.base else None
    while base is not None:
        found = base.members.get(name)
        if isinstance(found, FunctionSymbol):
            return base, found
        base = program.classes.get(base.base.cls) if base.base else None
    return None


def make_virtual(owner: ClassSymbol, member: FunctionSymbol) -> None:
    """A new place in the table of a class."""
    if member.method is not None:
        return
    member.method = Method(member.name, -1, owner.cls, member.function.result)
    owner.cls.methods.append(member.method)
    owner.open = True


def override(
    work: ClassWork, member: FunctionSymbol, node: ast.AST | None, above: tuple[ClassSymbol, FunctionSymbol]
) -> None:
    """A method that a base has too."""
    owner, found = above
    place = node or work.node
    if found.binding is not member.binding:
        work.outer.report(
            place, f"{member.name} is a {found.binding} in {owner.cls.name}", "the same kind here"
        )
        return
    if found.waits is not member.waits:
        kind = "async" if found.waits else "not async"
        work.outer.report(place, f"{member.name} is {kind} in {owner.cls.name}", "the same kind here")
        return
    if found.method is None:
        if owner.cls.symbol.startswith("builtins.") and not work.outer.is_library:
            return
        if owner.table_done:
            reason = f"{owner.cls.name}.{member.name} is not made to be overridden"
            work.outer.report(place, reason, "another name")
            return
        make_virtual(owner, found)
    member.method = found.method
    if not same_defaults(found, member):
        reason = f"{member.name} takes other parameters than in {owner.cls.name}"
        work.outer.report(place, reason, "the same parameters and defaults")
    elif not work.outer.is_library:
        check_types(work, member, place, above)


def check_types(
    work: ClassWork, member: FunctionSymbol, place: ast.AST, above: tuple[ClassSymbol, FunctionSymbol]
) -> None:
    """What stands for the base's method takes all that it takes, and gives nothing else."""
    owner, found = above
    program = work.outer.program
    view = base_as(program, ClassType(work.symbol.cls, work.symbol.parameters), owner.cls)
    names = [each.name for each in owner.parameters]
    bindings = dict(zip(names, view.arguments if view else (), strict=False))
    wanted = substitute(found.signature.result, bindings)
    if not is_assignable(program, member.signature.result, wanted):
        reason = f"{member.name} gives {display(wanted)} in {owner.cls.name}"
        work.outer.report(place, reason, f"-> {display(wanted)}")
    if member.name in COMPARISONS:
        return
    for mine, theirs in zip(member.signature.parameters, found.signature.parameters, strict=True):
        type_ = substitute(theirs.type, bindings)
        if not is_assignable(program, type_, mine.type) and not owner.cls.symbol.startswith("builtins."):
            reason = f"{member.name} takes {display(type_)} as {mine.name} in {owner.cls.name}"
            work.outer.report(place, reason, f"{mine.name}: {display(type_)}, and isinstance")


def same_defaults(above: FunctionSymbol, below: FunctionSymbol) -> bool:
    """Whether both can be called in the same way."""
    pairs = [above.signature.parameters, below.signature.parameters]
    shapes = [[(kind_of(each), each.default is None) for each in side] for side in pairs]
    return shapes[0] == shapes[1]


def kind_of(parameter: Parameter) -> Kind:
    """How a parameter is given, by position or name alike."""
    return Kind.NORMAL if parameter.kind is Kind.POSITIONAL else parameter.kind


def fill_table(symbol: ClassSymbol) -> None:
    """The table of a class: its base's, with its own functions in their places."""
    cls = symbol.cls
    cls.table = list(cls.base.table) if cls.base is not None else []
    for method in cls.methods:
        method.index = len(cls.table)
        found = symbol.members[method.name]
        assert isinstance(found, FunctionSymbol)
        cls.table.append(found.function)
    for name, member in symbol.members.items():
        if isinstance(member, FunctionSymbol) and member.method is not None and name == member.method.name:
            cls.table[member.method.index] = member.function
    symbol.table_done = True
