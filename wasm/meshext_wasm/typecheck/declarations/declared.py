"""What the declarations of a unit leave for the later steps, and the places that they stand in."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meshext_wasm.diagnostics.diagnostic import Diagnostic
from meshext_wasm.source.file import SourceFile
from meshext_wasm.tree.program import Global, Loc
from meshext_wasm.typecheck.meanings.body import Unit
from meshext_wasm.typecheck.meanings.symbols import (
    ClassSymbol,
    FunctionSymbol,
    MissingSymbol,
    ModuleSymbol,
    Program,
    Symbol,
    find_member,
)

if TYPE_CHECKING:
    from meshext_wasm.typecheck.declarations.dataclass_fields import DataField

Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(slots=True, eq=False)
class FunctionWork:
    """A function whose body is to be checked."""

    symbol: FunctionSymbol
    node: Definition
    place: Site


@dataclass(slots=True, eq=False)
class ClassWork:
    """A class that is declared step by step. `inferred` are fields whose types follow from assignments,
    `variables` what is written when the class statement runs, `written` methods that the checker adds."""

    symbol: ClassSymbol
    node: ast.ClassDef
    outer: Site
    bound: bool = False
    inferred: set[str] = field(default_factory=set)
    variables: list[tuple[ast.Name, ast.expr]] = field(default_factory=list)
    dataclass: dict[str, bool] | None = None
    written: list[ast.stmt] = field(default_factory=list)

    @property
    def body(self) -> list[ast.stmt]:
        """The statements of the class, and the methods that the checker wrote."""
        return [*self.node.body, *self.written]


@dataclass(slots=True, eq=False)
class Site:
    """A module, or a class in one: names as its statements see them. A Place of annotations."""

    unit: Unit
    source: SourceFile
    module: ModuleSymbol
    classes: tuple[ClassSymbol, ...] = ()

    @property
    def program(self) -> Program:
        """Everything that is declared."""
        return self.unit.program

    @property
    def owner(self) -> ClassSymbol | None:
        """The class that is declared here."""
        return self.classes[-1] if self.classes else None

    @property
    def is_library(self) -> bool:
        """Whether the module is one of the library's."""
        return self.source.library

    @property
    def path(self) -> str:
        """What symbols declared here begin with."""
        return self.classes[-1].cls.symbol if self.classes else self.module.name

    def inside(self, symbol: ClassSymbol) -> Site:
        """The body of a class that is declared here."""
        return Site(self.unit, self.source, self.module, (*self.classes, symbol))

    def lookup(self, name: str) -> Symbol | None:
        """What a name means here: the innermost class's names, the module's, the built-in ones. Enclosing
        classes count too, as annotations are never run here."""
        if ":" in name:
            return self.program.builtins.get(name.partition(":")[2])
        for symbol in reversed(self.classes):
            if name in symbol.members:
                return symbol.members[name]
        return self.module.names.get(name) or self.program.builtin(name, library=self.is_library)

    def symbol_of(self, node: ast.expr) -> Symbol | None:
        """What a dotted name means."""
        match node:
            case ast.Name(id=name):
                return self.lookup(name)
            case ast.Attribute(value=value, attr=attribute):
                found = self.symbol_of(value)
                if isinstance(found, MissingSymbol):
                    return found
                if isinstance(found, ModuleSymbol):
                    return found.names.get(attribute)
                if isinstance(found, ClassSymbol):
                    return find_member(self.program, found, attribute)
        return None

    def loc(self, node: ast.AST) -> Loc:
        """Where a node stands."""
        return self.source.loc(node)

    def report(self, node: ast.AST, reason: str, hint: str = "", *, follows: bool = False) -> None:
        """Refuse something."""
        self.unit.collector.add(Diagnostic(self.loc(node), reason, hint, follows=follows))


@dataclass(slots=True)
class Declared:
    """All that is to be done after the names are known. `constants` are the assignments that a name's one
    literal comes from."""

    unit: Unit
    sites: dict[str, Site] = field(default_factory=dict)
    classes: dict[ast.ClassDef, ClassWork] = field(default_factory=dict)
    functions: list[FunctionWork] = field(default_factory=list)
    inferred: dict[str, set[Global]] = field(default_factory=dict)
    defaults: dict[ast.AST, list[tuple[Global, ast.expr]]] = field(default_factory=dict)
    data: dict[ClassSymbol, list[DataField]] = field(default_factory=dict)
