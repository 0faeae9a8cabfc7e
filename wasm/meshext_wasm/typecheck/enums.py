"""Enumerations: members are variables of the class, made once, when the class statement runs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression, MakeInstance
from meshext_wasm.tree.program import Field, Global
from meshext_wasm.tree.statements import Assign, WriteField
from meshext_wasm.tree.types import ClassType, Type
from meshext_wasm.typecheck.declared import ClassWork, Declared, Definition, Site
from meshext_wasm.typecheck.making import class_type, constant, read, sequence
from meshext_wasm.typecheck.members import declare_method
from meshext_wasm.typecheck.members_of_enums import BY_NAME, is_enumeration
from meshext_wasm.typecheck.plain_values import plain_name
from meshext_wasm.typecheck.signatures import literal_of
from meshext_wasm.typecheck.symbols import Binding, FunctionSymbol, SpecialSymbol, find_field
from meshext_wasm.typecheck.synthesis import Ready, Typed, write_code
from meshext_wasm.typecheck.unions import join

if TYPE_CHECKING:
    from meshext_wasm.typecheck.body import Body

UNCALLED = frozenset("_missing_ _generate_next_value_ _ignore_ __new__".split())
TEXT = "def value_text(self) -> BUILTINS.str:\n    return BUILTINS.repr(self.value)"
FIND = """
def _from_value_(value: VALUE) -> MEMBER:
    {tests}
    raise BUILTINS.ValueError(f"{{value!r}} is not a valid {name}")
"""
NAMED = """
def _from_name_(name: BUILTINS.str) -> MEMBER:
    {tests}
    raise BUILTINS.KeyError(name)
"""


def is_enum(work: ClassWork) -> bool:
    """Whether a class is an enumeration."""
    return is_enumeration(work.symbol.cls)


def declare_enum(declared: Declared, work: ClassWork) -> None:
    """The members of an enumeration, and how a value finds its member."""
    site = work.outer.inside(work.symbol)
    pairs = [(target, value) for target, value in work.variables if not target.id.startswith("_")]
    if "__init__" in work.symbol.members:
        work.outer.report(work.node, "an Enum with an __init__", "a dataclass, and an Enum of names")
    for each in work.node.body:
        if isinstance(each, Definition) and each.name in UNCALLED:
            site.report(
                each, f"nothing calls {each.name} in a compiled program", "a classmethod of another name"
            )
    if not pairs:
        return
    values = member_values(work, site, pairs)
    type_ = join(site.program, *(each for _, each in values))
    if find_field(site.program, work.symbol, "value") is None:
        work.symbol.fields["value"] = Field("value", -1, type_)
    work.symbol.frozen = True
    member = ClassType(work.symbol.cls)
    work.variables = []
    for (target, _), (node, _) in zip(pairs, values, strict=True):
        variable = work.symbol.members[target.id]
        assert isinstance(variable, Global)
        variable.type = member
        declared.inferred[site.module.name].discard(variable)
        name = target.id
        made = Ready(lambda body, name=name, node=node: make_member(body, work, name, node))  # type: ignore[misc]
        work.variables.append((target, ast.copy_location(made, node)))
    write_methods(declared, work, site, [target.id for target, _ in pairs], type_)


def member_values(
    work: ClassWork, site: Site, pairs: list[tuple[ast.Name, ast.expr]]
) -> list[tuple[ast.expr, Type]]:
    """The value of each member, `auto()` counted, and its type."""
    wanted = plain_name(ClassType(work.symbol.cls))
    found: list[tuple[ast.expr, Type]] = []
    seen: dict[object, str] = {}
    last = 0
    for target, node in pairs:
        symbol = site.symbol_of(node.func) if isinstance(node, ast.Call) else None
        if isinstance(symbol, SpecialSymbol) and symbol.name == "auto":
            made = target.id.lower() if wanted == "str" else last + 1
            node = ast.copy_location(ast.Constant(made), node)
        value = literal_of(node)
        if value is ... or value is None:
            site.report(node, "the value of an Enum's member is no literal", "text or a number, or auto()")
            node, value = ast.copy_location(ast.Constant(target.id), node), target.id
        if wanted is not None and type(value).__name__ != wanted:
            site.report(node, f"the value of {target.id} is no {wanted}", f"a {wanted}, or a plain Enum")
            node = ast.copy_location(ast.Constant(len(found) if wanted == "int" else target.id), node)
            value = node.value
        if value in seen:
            site.report(node, f"{target.id} has the value of {seen[value]}", "a value of its own")
        seen[value] = target.id
        last = value if isinstance(value, int) else last
        found.append((node, class_type(site.program, type(value).__name__)))
    return found


def make_member(body: Body, work: ClassWork, name: str, node: ast.expr) -> Expression:
    """One member, with its name and value."""
    loc, type_ = body.loc(node), ClassType(work.symbol.cls)
    kept = body.temporary(".member", type_)
    slots = {"name": constant(body.program, loc, name)}
    slots["value"] = constant(body.program, loc, literal_of(node))  # type: ignore[arg-type]
    with body.collect() as statements:
        body.emit(
            Assign(loc=loc, variable=kept, value=MakeInstance(loc=loc, type=type_, cls=work.symbol.cls))
        )
        for field, value in slots.items():
            found = find_field(body.program, work.symbol, field)
            assert found is not None
            body.emit(WriteField(loc=loc, subject=read(loc, kept), field=found[1], value=value))
    return sequence(statements, read(loc, kept))


def write_methods(declared: Declared, work: ClassWork, site: Site, names: list[str], type_: Type) -> None:
    """How a member shows its value, and `Color("red")`."""
    shown = write_code(TEXT, work.node)
    assert isinstance(shown, Definition)
    declare_method(declared, work, site, shown)
    tests = "\n    ".join(f"if value == OWNER.{each}.value:\n        return OWNER.{each}" for each in names)
    parts: dict[str, ast.AST] = {"VALUE": Typed(type_), "MEMBER": Typed(ClassType(work.symbol.cls))}
    node = write_code(FIND.format(tests=tests, name=qualified(work)), work.node, parts)
    assert isinstance(node, Definition)
    by_value = declare_finder(declared, work, site, node)
    work.symbol.constructors = (by_value,)
    tests = "\n    ".join(f"if name == {each!r}:\n        return OWNER.{each}" for each in names)
    node = write_code(NAMED.format(tests=tests), work.node, parts)
    assert isinstance(node, Definition)
    work.symbol.members[BY_NAME] = declare_finder(declared, work, site, node)


def declare_finder(declared: Declared, work: ClassWork, site: Site, node: Definition) -> FunctionSymbol:
    """A function of the class that no program can name."""
    declare_method(declared, work, site, node)
    found = work.symbol.members.pop(node.name)
    assert isinstance(found, FunctionSymbol)
    found.binding = Binding.STATIC
    return found


def qualified(work: ClassWork) -> str:
    """The class as CPython's message names it."""
    return work.symbol.cls.symbol.removeprefix(work.outer.module.name + ".")
