"""Enumerations: members are variables of the class, made once, when the class statement runs."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression, MakeInstance
from meshext_wasm.tree.program import Field, Global
from meshext_wasm.tree.statements import Assign, WriteField
from meshext_wasm.tree.types import ClassType, Type
from meshext_wasm.typecheck.declarations.declared import ClassWork, Declared, Definition, Site
from meshext_wasm.typecheck.declarations.members import declare_method
from meshext_wasm.typecheck.declarations.signatures import literal_of
from meshext_wasm.typecheck.meanings.making import class_type, constant, read, sequence
from meshext_wasm.typecheck.meanings.members_of_enums import BY_NAME, is_enumeration, is_flag
from meshext_wasm.typecheck.meanings.plain_values import plain_name
from meshext_wasm.typecheck.meanings.symbols import Binding, FunctionSymbol, SpecialSymbol, find_field
from meshext_wasm.typecheck.meanings.synthesis import Ready, Typed, write_code
from meshext_wasm.typecheck.meanings.unions import join

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

UNCALLED = frozenset("_missing_ _generate_next_value_ _ignore_ __new__".split())
TEXT = "def value_text(self) -> BUILTINS.str:\n    return BUILTINS.repr(self.value)"
FIND = """
def _from_value_(value: VALUE) -> MEMBER:
    {tests}
    raise BUILTINS.ValueError(f"{{value!r}} is not a valid {name}")
"""
FOLDED: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
    ast.Add: operator.add,
    ast.LShift: operator.lshift,
}
LARGEST = 1 << 64
NAMED = """
def _from_name_(name: BUILTINS.str) -> MEMBER:
    {tests}
    raise BUILTINS.KeyError(name)
"""


def is_enum(work: ClassWork) -> bool:
    """Whether a class is an enumeration."""
    return is_enumeration(work.symbol.cls)


def declare_enum(declared: Declared, work: ClassWork) -> dict[str, ast.expr]:
    """The members of an enumeration, and how a value finds its member; what the values are."""
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
        return {}
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
    names = [target.id for target, _ in pairs]
    write_methods(declared, work, site, names, type_)
    return dict(zip(names, (node for node, _ in values), strict=True))


def member_values(
    work: ClassWork, site: Site, pairs: list[tuple[ast.Name, ast.expr]]
) -> list[tuple[ast.expr, Type]]:
    """The value of each member, `auto()` counted, and its type."""
    wanted = plain_name(ClassType(work.symbol.cls))
    found: list[tuple[ast.expr, Type]] = []
    flags = is_flag(work.symbol.cls)
    wanted = "int" if flags else wanted
    seen: dict[object, str] = {}
    last = 0
    for target, node in pairs:
        symbol = site.symbol_of(node.func) if isinstance(node, ast.Call) else None
        if isinstance(symbol, SpecialSymbol) and symbol.name == "auto":
            made = target.id.lower() if wanted == "str" else after(last, flags=flags)
            if work.symbol.base is not None and work.symbol.base.cls.name == "TextEnum":
                last = after(last, flags=False)
                made = str(last)
            node = ast.copy_location(ast.Constant(made), node)
        value = folded(node, found_values(pairs, found))
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
        if isinstance(value, int):
            last = max(last, value) if flags else value
            node = ast.copy_location(ast.Constant(value), node)
        found.append((node, class_type(site.program, type(value).__name__)))
    return found


def after(last: int, *, flags: bool) -> int:
    """What `auto()` is: the next number, or bit."""
    return 1 << last.bit_length() if flags else last + 1


def found_values(
    pairs: list[tuple[ast.Name, ast.expr]], found: list[tuple[ast.expr, Type]]
) -> dict[str, object]:
    """The values of the members before."""
    return {pair[0].id: literal_of(node) for pair, (node, _) in zip(pairs, found, strict=False)}


def folded(node: ast.expr, known: Mapping[str, object]) -> object:
    """The value of a literal, or of ints and members before it; Ellipsis for anything else."""
    if isinstance(node, ast.Name):
        return known.get(node.id, ...)
    if not isinstance(node, ast.BinOp):
        return literal_of(node)
    left, right = folded(node.left, known), folded(node.right, known)
    operate = FOLDED.get(type(node.op))
    if operate is None or not isinstance(left, int) or not isinstance(right, int) or not 0 <= right < LARGEST:
        return ...
    return operate(left, right)


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
    parts: dict[str, ast.AST] = {"VALUE": Typed(type_), "MEMBER": Typed(ClassType(work.symbol.cls))}
    if not is_flag(work.symbol.cls):
        texts = (f"if value == OWNER.{each}.value:\n        return OWNER.{each}" for each in names)
        tests = "\n    ".join(texts)
        node = write_code(FIND.format(tests=tests, name=qualified(work)), work.node, parts)
        assert isinstance(node, Definition)
        work.symbol.constructors = (declare_finder(declared, work, site, node),)
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
