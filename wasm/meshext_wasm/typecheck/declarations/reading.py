"""Parameters that their function only reads: who calls it may know what it gives as one of narrower items.

A `dict[str, Any]` can be written, so a `dict[str, int]` is none. Most functions that take one look into it
and no more, which is what callers are told.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace

from meshext_wasm.tree.types import ClassType, ObjectType, Type
from meshext_wasm.typecheck.declarations.declared import Declared, Definition, FunctionWork
from meshext_wasm.typecheck.meanings.unions import make_union, members_of

METHODS = frozenset("copy count get index items keys values".split())
FUNCTIONS = frozenset(
    "all any bool dict enumerate frozenset isinstance iter len list max min repr reversed set sorted str sum "
    "tuple zip".split()
)
TOLD = frozenset("Any Collection Iterable Mapping Sequence object".split())


def as_read(declared: Declared, work: FunctionWork, name: str, type_: Type) -> Type:
    """The type of a parameter, its dicts and lists of anything lent where the function reads them alone."""
    parts = members_of(type_)
    if work.place.is_library or not any(map(is_lendable, parts)):
        return type_
    if is_of_several_classes(declared, work) or not Reading(declared).of(work, name):
        return type_
    return make_union(map(as_lent, parts))


def as_lent(type_: Type) -> Type:
    """A container that may be lent as one that is."""
    return replace(type_, borrowed=True) if isinstance(type_, ClassType) and is_lendable(type_) else type_


def is_lendable(type_: Type) -> bool:
    """Whether it is a dict or list that holds anything."""
    return (
        isinstance(type_, ClassType)
        and type_.cls.symbol in ("builtins.dict", "builtins.list")
        and bool(type_.arguments)
        and isinstance(type_.arguments[-1], ObjectType)
    )


def is_of_several_classes(declared: Declared, work: FunctionWork) -> bool:
    """Whether another class has a method of the name, which may override this one and write."""
    if work.symbol.owner is None:
        return False
    named = [each for each in declared.functions if each.node.name == work.node.name]
    return any(each.symbol.owner not in (None, work.symbol.owner) for each in named)


@dataclass(slots=True)
class Reading:
    """Whether parameters are only read; `open_` are those that this is being asked of, which may be."""

    declared: Declared
    open_: set[tuple[Definition, str]] = field(default_factory=set)

    def of(self, work: FunctionWork, name: str) -> bool:
        """Whether a function uses a parameter, and never so that something could be put into it."""
        node = work.node
        if (node, name) in self.open_:
            return True
        self.open_.add((node, name))
        above = {child: parent for parent in ast.walk(node) for child in ast.iter_child_nodes(parent)}
        uses = [each for each in above if isinstance(each, ast.Name) and each.id == name]
        return bool(uses) and all(self.at(each, above, work) for each in uses)

    def at(self, node: ast.expr, above: dict[ast.AST, ast.AST], work: FunctionWork) -> bool:
        """Whether what stands around an expression looks at its value and hands on nothing but items."""
        match above[node]:
            case ast.Attribute(attr=name, ctx=ast.Load()):
                return name in METHODS
            case ast.Subscript(value=value, ctx=ast.Load()):
                return value is node
            case ast.For(iter=part) | ast.AsyncFor(iter=part) | ast.comprehension(iter=part):
                return part is node
            case ast.Call() as call:
                return self.given(node, call, work)
            case ast.keyword(arg=name):
                return name is None
            case ast.Dict(keys=keys, values=values):
                return keys[values.index(node)] is None if node in values else False
            case ast.Compare() | ast.FormattedValue() | ast.Starred(ctx=ast.Load()) | ast.UnaryOp():
                return True
            case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.Assert(test=test):
                return test is node
            case ast.BoolOp() as whole:
                return self.at(whole, above, work)
        return False

    def given(self, node: ast.expr, call: ast.Call, work: FunctionWork) -> bool:
        """Whether a function that gets it reads it alone."""
        if isinstance(call.func, ast.Name) and call.func.id in FUNCTIONS:
            return True
        if ast.unparse(call.func) == "json.dumps":
            return True
        called = self.called(call.func, work)
        if called is None or node not in call.args or any(isinstance(x, ast.Starred) for x in call.args):
            return False
        names = [*called.node.args.posonlyargs, *called.node.args.args]
        index = call.args.index(node) + (called.symbol.owner is not None)
        if index >= len(names):
            return False
        taken = names[index]
        return is_told(taken.annotation) or self.of(called, taken.arg)

    def called(self, func: ast.expr, work: FunctionWork) -> FunctionWork | None:
        """The function of the module, or method of the same instance, that a call names."""
        match func:
            case ast.Name(id=name):
                owner = None
            case ast.Attribute(value=ast.Name(id="self"), attr=name) if work.symbol.owner is not None:
                owner = work.symbol.owner
            case _:
                return None
        for each in self.declared.functions:
            same = each.place.module is work.place.module and each.symbol.owner is owner
            if same and each.node.name == name and not each.node.decorator_list:
                return None if is_of_several_classes(self.declared, each) else each
        return None


def is_told(annotation: ast.expr | None) -> bool:
    """Whether an annotation says that what it takes is only read, or looked at before."""
    named = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return isinstance(named, ast.Name) and named.id in TOLD
