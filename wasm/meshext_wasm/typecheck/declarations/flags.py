"""Flag and IntFlag: members that are sets of bits, and those that are made of others."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression, MakeInstance
from meshext_wasm.tree.statements import Assign, WriteField
from meshext_wasm.tree.types import ClassType
from meshext_wasm.typecheck.declarations.declared import ClassWork, Declared, Definition, Site
from meshext_wasm.typecheck.declarations.enums import declare_finder
from meshext_wasm.typecheck.declarations.members import declare_method
from meshext_wasm.typecheck.declarations.signatures import literal_of
from meshext_wasm.typecheck.meanings.dispatch import check_value
from meshext_wasm.typecheck.meanings.making import class_type, read, sequence
from meshext_wasm.typecheck.meanings.plain_values import plain_name
from meshext_wasm.typecheck.meanings.symbols import find_field
from meshext_wasm.typecheck.meanings.synthesis import Ready, Typed, write_code

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

FIND = """
def _from_value_(value: BUILTINS.int) -> MEMBER:
    {tests}
    value = KNOWN.builtins.enums.flag_value({name!r}, value, {mask}, {keeps})
    {tests}
    name = KNOWN.builtins.enums.flag_name(value, {names}, {values})
    return MADE
"""
CONTAINS = """
def __contains__(self, other: MEMBER) -> BUILTINS.bool:
    return other.value & self.value == other.value
"""


def check_flags(work: ClassWork, site: Site, found: dict[str, ast.expr]) -> dict[str, int]:
    """The members of a Flag that are one bit; those of none, or of several, are its aliases."""
    values = {name: literal_of(node) for name, node in found.items()}
    numbers = {name: value for name, value in values.items() if isinstance(value, int)}
    bits = {name: value for name, value in numbers.items() if value.bit_count() == 1 and value > 0}
    mask = sum(bits.values())
    for name, value in numbers.items():
        if value < 0 or value & ~mask:
            reason = f"{name} has bits of no member of their own"
            site.report(found[name], reason, "a member for each bit first")
    work.symbol.aliases = frozenset(numbers) - frozenset(bits)
    return bits


def declare_flags(declared: Declared, work: ClassWork, members: dict[str, ast.expr]) -> None:
    """What sets of bits have more than an enumeration: members made of others, and what is done with them."""
    site = work.outer.inside(work.symbol)
    bits = check_flags(work, site, members)
    write_finder(declared, work, site, [*members], bits)
    write_operations(declared, work, site, sum(bits.values()))


def write_finder(
    declared: Declared, work: ClassWork, site: Site, names: list[str], bits: dict[str, int]
) -> None:
    """`Permission(3)`: a member that is there, or one that is made."""
    cls = ClassType(work.symbol.cls)
    tests = [f"if value == OWNER.{each}.value:\n        return OWNER.{each}" for each in names]
    text = FIND.format(
        tests="\n    ".join(tests),
        name=work.symbol.cls.name,
        mask=sum(bits.values()),
        keeps=plain_name(cls) == "int",
        names=tuple(bits),
        values=tuple(bits.values()),
    )
    parts: dict[str, ast.AST] = {"MEMBER": Typed(cls), "MADE": Ready(lambda body: make_flag(body, work))}
    node = write_code(text, work.node, parts)
    assert isinstance(node, Definition)
    work.symbol.constructors = (declare_finder(declared, work, site, node),)


def write_operations(declared: Declared, work: ClassWork, site: Site, mask: int) -> None:
    """`|`, `&`, `^`, `~` and `in`; those of an IntFlag take ints too, on either side."""
    cls = ClassType(work.symbol.cls)
    keeps = plain_name(cls) == "int"
    parts: dict[str, ast.AST] = {"MEMBER": Typed(cls)}
    parts["OTHER"] = Typed(class_type(site.program, "int")) if keeps else Typed(cls)
    other, inverse = ("other", "~self.value") if keeps else ("other.value", f"{mask} & ~self.value")
    texts = [f"def __invert__(self) -> MEMBER:\n    return OWNER({inverse})", CONTAINS]
    for name, sign in (("or", "|"), ("and", "&"), ("xor", "^")):
        body = f"(self, other: OTHER) -> MEMBER:\n    return OWNER(self.value {sign} {other})"
        texts += [f"def __{prefix}{name}__{body}" for prefix in (("", "r") if keeps else ("",))]
    for text in texts:
        made = write_code(text, work.node, parts)
        assert isinstance(made, Definition)
        declare_method(declared, work, site, made)


def make_flag(body: Body, work: ClassWork) -> Expression:
    """A member with the name and the value that the function has found."""
    node = work.node
    loc, type_ = body.loc(node), ClassType(work.symbol.cls)
    kept = body.temporary(".member", type_)
    with body.collect() as statements:
        made = MakeInstance(loc=loc, type=type_, cls=work.symbol.cls)
        body.emit(Assign(loc=loc, variable=kept, value=made))
        for field in ("name", "value"):
            found = find_field(body.program, work.symbol, field)
            assert found is not None
            value = check_value(body, ast.copy_location(ast.Name(field, ast.Load()), node))
            body.emit(WriteField(loc=loc, subject=read(loc, kept), field=found[1], value=value))
    return sequence(statements, read(loc, kept))
