"""The fields of dataclasses: what the body of the class and `field(...)` say."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.types import ClassType, Type
from meshext_wasm.typecheck.declarations.declared import ClassWork, Declared, Site
from meshext_wasm.typecheck.declarations.signatures import read_default
from meshext_wasm.typecheck.meanings.symbols import SpecialSymbol

OPTIONS = ("frozen", "order", "eq", "repr", "init", "kw_only", "slots", "unsafe_hash", "match_args")
FIELD_OPTIONS = ("init", "repr", "compare", "hash", "kw_only")


@dataclass(frozen=True, slots=True)
class DataField:
    """One field: its default is a tree expression, its factory source of the module that `site` names."""

    name: str
    type: Type
    site: Site
    node: ast.AnnAssign
    default: Expression | None = None
    factory: ast.expr | None = None
    options: tuple[tuple[str, bool], ...] = ()

    def option(self, name: str, default: bool = True) -> bool:
        """What `field(...)` says of it."""
        return dict(self.options).get(name, default)

    @property
    def optional(self) -> bool:
        """Whether the constructor goes without it."""
        return self.default is not None or self.factory is not None


def read_options(work: ClassWork) -> dict[str, bool] | None:
    """The options of `@dataclass`; None where a class is none."""
    for each in work.node.decorator_list:
        call = each if isinstance(each, ast.Call) else None
        symbol = work.outer.symbol_of(call.func if call else each)
        if not (isinstance(symbol, SpecialSymbol) and symbol.name == "dataclass"):
            continue
        return read_flags(work.outer, call.keywords if call else [], OPTIONS)
    return None


def read_flags(site: Site, keywords: list[ast.keyword], known: tuple[str, ...]) -> dict[str, bool]:
    """Keyword arguments that are True or False."""
    found: dict[str, bool] = {}
    for each in keywords:
        value = each.value
        if each.arg in known and isinstance(value, ast.Constant) and isinstance(value.value, bool | None):
            if value.value is not None:
                found[each.arg] = value.value
        else:
            words = f"{each.arg or '**'}={ast.unparse(value)}"
            site.report(
                value, f"{words} is not in the language", f"one of {', '.join(known)} as True or False"
            )
    return found


def own_fields(declared: Declared, work: ClassWork) -> list[DataField]:
    """The fields that the class itself adds, in order."""
    site = work.outer.inside(work.symbol)
    return [
        read_field(declared, work, site, node)
        for node in work.node.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and node.target.id in work.symbol.fields
    ]


def read_field(declared: Declared, work: ClassWork, site: Site, node: ast.AnnAssign) -> DataField:
    """One annotated name of a dataclass."""
    assert isinstance(node.target, ast.Name)
    name = node.target.id
    type_ = work.symbol.fields[name].type
    value, factory, flags = node.value, None, {}
    if isinstance(value, ast.Call) and is_field_call(site, value):
        given = {each.arg: each.value for each in value.keywords if each.arg}
        rest = [each for each in value.keywords if each.arg not in ("default", "default_factory", "metadata")]
        flags = read_flags(site, rest, FIELD_OPTIONS)
        value, factory = given.get("default"), given.get("default_factory")
    if isinstance(value, ast.List | ast.Dict | ast.Set):
        site.report(value, "a default that all instances would share", "field(default_factory=...)")
        value = None
    symbol = f"{work.symbol.cls.symbol}.{name}"
    default = read_default(declared, site, symbol, node, value, type_) if value is not None else None
    return DataField(name, type_, site, node, default, factory, tuple(flags.items()))


def is_field_call(site: Site, node: ast.Call) -> bool:
    """`field(...)` of dataclasses."""
    symbol = site.symbol_of(node.func)
    return isinstance(symbol, SpecialSymbol) and symbol.name == "field"


def all_fields(declared: Declared, work: ClassWork) -> list[DataField]:
    """Those of the bases first; one of the same name takes the base's place."""
    found: dict[str, DataField] = {}
    base = work.symbol.base
    above = declared.unit.program.classes.get(base.cls) if isinstance(base, ClassType) else None
    for each in declared.data.get(above, []) if above is not None else []:
        found[each.name] = each
    for each in own_fields(declared, work):
        found[each.name] = each
    return list(found.values())
