"""One function while it is checked: its names, what is known at this point, the statements written so far."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from meshext_wasm.diagnostics.diagnostic import Collector, Diagnostic
from meshext_wasm.scope.scopes import Scope
from meshext_wasm.source.file import SourceFile
from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.program import Field, Function, Global, Loc, Variable
from meshext_wasm.tree.statements import Assign, Statement, WriteGlobal
from meshext_wasm.tree.types import CallableType, NeverType, RawType, Rep, Type, rep_of
from meshext_wasm.typecheck.meanings import growth, synthesis
from meshext_wasm.typecheck.meanings.conversions import to_type, to_value
from meshext_wasm.typecheck.meanings.facts import Facts, attributes, join_facts, root
from meshext_wasm.typecheck.meanings.rounds import Key, Rounds
from meshext_wasm.typecheck.meanings.symbols import (
    ClassSymbol,
    ConstantSymbol,
    MissingSymbol,
    ModuleSymbol,
    Program,
    Symbol,
)
from meshext_wasm.typecheck.meanings.unions import join


@dataclass(slots=True)
class Unit:
    """What the functions of a unit share while they are checked.

    `sources` by module name; `scopes` by function node; `writable` are the fields that something other than a
    constructor writes, `writable_names` those of any class; `own_fields` are all of the
    unit's, as what a library writes is not known; `open_fields` those whose type is being found; `imported`
    the names that functions import themselves.
    """

    program: Program
    collector: Collector
    sources: dict[str, SourceFile] = field(default_factory=dict)
    scopes: dict[ast.AST, Scope] = field(default_factory=dict)
    writable: set[Field] = field(default_factory=set)
    writable_names: set[str] = field(default_factory=set)
    own_fields: set[Field] = field(default_factory=set)
    open_fields: set[Field] = field(default_factory=set)
    imported: dict[ast.AST, dict[str, Symbol]] = field(default_factory=dict)


@dataclass(slots=True)
class LoopWays:
    """What is known at each `break` of a loop; `handlers` is how many named `except` are around it."""

    handlers: int = 0
    breaks: list[Facts] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Body:
    """A function, lambda or module body.

    `own` are its names, None for the body of a module; `inferred` the module's variables whose types follow
    from what its body assigns. `waits` is an async function's; `awaited` the call behind the innermost
    `await`, `has_waited` whether it was one of an async function. `yields`: it is a generator's, of items of
    the type `item`; `given` is what they turned out to be where that is None.
    """

    unit: Unit
    module: ModuleSymbol
    function: Function
    rounds: Rounds
    own: Scope | None = None
    owner: ClassSymbol | None = None
    parent: Body | None = None
    result: Type | None = None
    given: Type = field(default_factory=NeverType)
    facts: Facts = field(default_factory=Facts)
    frames: list[Mapping[str, Symbol]] = field(default_factory=list)
    loops: list[LoopWays] = field(default_factory=list)
    handled: list[Variable] = field(default_factory=list)
    handler_names: list[str] = field(default_factory=list)
    inferred: set[Global] = field(default_factory=set)
    sinks: list[list[Statement]] = field(default_factory=list)
    waits: bool = False
    awaited: ast.Call | None = None
    has_waited: bool = False
    yields: bool = False
    item: Type | None = None

    @property
    def program(self) -> Program:
        """Everything that is declared."""
        return self.unit.program

    @property
    def source(self) -> SourceFile:
        """The file that the function is in."""
        return self.unit.sources[self.module.name]

    def loc(self, node: ast.AST) -> Loc:
        """Where a node stands."""
        return self.source.loc(node)

    def report(self, node: ast.AST, reason: str, hint: str = "", *, follows: bool = False) -> None:
        """Something is refused; counts if this round is the last."""
        self.rounds.reports.append(Diagnostic(self.loc(node), reason, hint, follows=follows))

    def emit(self, statement: Statement) -> None:
        """Write a statement."""
        self.sinks[-1].append(statement)

    @contextmanager
    def collect(self) -> Iterator[list[Statement]]:
        """Statements that are written meanwhile go into this list."""
        written: list[Statement] = []
        self.sinks.append(written)
        try:
            yield written
        finally:
            self.sinks.pop()

    @contextmanager
    def assume(self, facts: Facts) -> Iterator[None]:
        """Something that may run or not: with these facts; afterwards only what holds either way is known."""
        before, self.facts = self.facts, facts
        try:
            yield
        finally:
            self.facts = join_facts(self.program, before, self.facts)

    @contextmanager
    def scope(self, names: Mapping[str, Symbol]) -> Iterator[None]:
        """Names that hide others: variables of a comprehension, members in the body of a class."""
        self.frames.append(names)
        before = self.facts
        self.facts = before.without(lambda path: root(path) in names)
        try:
            yield
        finally:
            self.frames.pop()
            inner = self.facts.without(lambda path: root(path) in names).types
            hidden = {path: each for path, each in before.types.items() if root(path) in names}
            self.facts = Facts({**inner, **hidden}, self.facts.assigned | before.assigned, self.facts.live)

    def temporary(self, name: str, type_: Type, rep: Rep | None = None) -> Variable:
        """A new variable that no name of the program means."""
        variable = Variable(name, type_, rep or rep_of(type_))
        self.function.locals.append(variable)
        return variable

    # ---- names

    def lookup(self, name: str) -> Symbol | None:
        """What a name means here, from the inside out; None where it means nothing."""
        if ":" in name:
            return self.lookup_written(name)
        for frame in reversed(self.frames):
            if name in frame:
                return frame[name]
        if self.own is not None and name in self.own.bound:
            variable = self.variable(name)
            variable.checked = variable.checked or name not in self.facts.assigned
            return variable
        imported = self.find_imported(name)
        if imported is not None:
            return imported
        if self.own is not None and name in self.own.captured and self.parent is not None:
            return self.capture(name)
        if self.parent is not None and self.parent.has_frame(name):
            return self.capture(name)
        return self.module.names.get(name) or self.program.builtin(name, library=self.source.library)

    def find_imported(self, name: str) -> Symbol | None:
        """What this function, or one around it that has no variable of the name between, imports."""
        body: Body | None = self
        while body is not None and body.own is not None:
            found = self.unit.imported.get(body.own.node, {}).get(name)
            if found is not None or name in body.own.bound:
                return found
            body = body.parent
        return None

    def lookup_written(self, name: str) -> Symbol | None:
        """A name of code that the checker wrote, which nothing of the program hides."""
        if name == synthesis.OWNER:
            return self.owner
        if name.startswith(synthesis.KNOWN):
            return self.program.known(name.removeprefix(synthesis.KNOWN))
        return self.program.builtins.get(name.removeprefix(synthesis.BUILTIN))

    def has_frame(self, name: str) -> bool:
        """Whether a comprehension around has a variable of this name."""
        inside = any(name in frame for frame in self.frames)
        return inside or (self.parent is not None and self.parent.has_frame(name))

    def key(self, name: str) -> Key:
        """A local variable over the rounds."""
        assert self.own is not None
        return id(self.own.node), name

    def variable(self, name: str) -> Variable:
        """A local variable of this function, made when first met."""
        assert self.own is not None
        variable = self.rounds.variable(self.key(name), name, cell=name in self.own.cells)
        if variable not in self.function.locals and variable not in self.function.parameters:
            self.function.locals.append(variable)
        return variable

    def capture(self, name: str) -> Symbol | None:
        """A variable of an enclosing function, through those between."""
        assert self.parent is not None
        found = self.parent.lookup(name)
        if isinstance(found, Variable) and found not in self.function.captures:
            found.cell = True
            self.function.captures.append(found)
        return found

    def symbol_of(self, node: ast.expr) -> Symbol | None:
        """What a dotted name means where that is known without running anything."""
        match node:
            case ast.Name(id=name):
                return self.lookup(name)
            case ast.Attribute(value=value, attr=attribute):
                found = self.symbol_of(value)
                if isinstance(found, ModuleSymbol):
                    return found.names.get(attribute)
                if isinstance(found, ClassSymbol):
                    return found.members.get(attribute)
                if isinstance(found, MissingSymbol):
                    return found
        return None

    # ---- what is known

    def path_type(self, path: str) -> Type | None:
        """The type of `x` or `x.y.z` at this point; None where nothing is known of it."""
        from meshext_wasm.typecheck.meanings.narrowing import declared_type

        return self.facts.types.get(path) or declared_type(self, path)

    def narrowed(self, path: str) -> Type | None:
        """What is known of a path beyond its declared type."""
        return self.facts.types.get(path)

    def is_shaky_in(self, path: str) -> bool:
        """Whether a path may mean something else later on."""
        from meshext_wasm.typecheck.meanings.narrowing import fields_of, is_lasting

        names = attributes(path)
        if any(each in self.unit.writable_names for each in names):
            return True
        own, writable = self.unit.own_fields, self.unit.writable
        return bool(names) and any(
            each in writable or (each not in own and not is_lasting(self.program, each))
            for each in fields_of(self, path)
        )

    def effect(self) -> None:
        """Something ran that may write fields and variables of others: forget what it may have changed."""
        self.facts = self.facts.without(self.is_shaky)

    def is_shaky(self, path: str) -> bool:
        """Whether a call may change what a path means."""
        if self.is_shaky_in(path):
            return True
        name = root(path)
        if self.own is None:
            return name in self.module.names
        if name in self.own.bound:
            return name in self.own.rebound
        return name in self.own.captured or isinstance(self.module.names.get(name), Global)

    # ---- writing variables

    def assign_name(self, node: ast.Name, value: Expression) -> None:
        """`name = value`."""
        self.assign(node.id, node, value)

    def assign(self, name: str, node: ast.AST, value: Expression) -> None:
        """Write the variable of a name, and remember its type."""
        symbol = self.lookup_target(name)
        if isinstance(symbol, Global | ConstantSymbol):
            self.write_global(symbol, name, node, value)
            return
        if not isinstance(symbol, Variable):
            self.report(node, f"{name!r} is declared already", "another name")
            return
        if symbol not in self.rounds.keys:
            symbol.type = join(self.program, symbol.type, value.type)
        declared = self.declared(symbol)
        if declared is not None:
            value = to_type(self, value, declared, node)
        elif not isinstance(value.type, RawType):
            value = to_value(self, value, node)
        growth.note(self, symbol, value)
        self.rounds.assign(symbol, value.type)
        if not isinstance(value.type, NeverType):
            symbol.rep = rep_of(value.type) if declared is None else rep_of(declared)
        self.emit(Assign(loc=self.loc(node), variable=symbol, value=value))
        self.set_known(name, value.type, declared)

    def set_known(self, name: str, type_: Type, declared: Type | None) -> None:
        """What is known of a variable after it was written."""
        self.facts = self.facts.assign(name)
        shared = self.own is not None and name in self.own.rebound | self.own.captured
        if shared or isinstance(type_, NeverType):
            return
        if declared is None or type_ != declared:
            self.facts = self.facts.narrow(name, type_)

    def write_global(
        self, symbol: Global | ConstantSymbol, name: str, node: ast.AST, value: Expression
    ) -> None:
        """Write a variable of a module."""
        variable = symbol if isinstance(symbol, Global) else symbol.variable
        if variable in self.inferred:
            value = to_value(self, value, node)
            self.rounds.assign(variable, value.type)
        else:
            value = to_type(self, value, variable.type, node)
        self.emit(WriteGlobal(loc=self.loc(node), variable=variable, value=value))
        self.facts = self.facts.without(lambda path: root(path) == name)
        self.facts = self.facts.assign(name)
        if not isinstance(value.type, NeverType) and value.type != variable.type:
            self.facts = self.facts.narrow(name, value.type)

    def lookup_target(self, name: str) -> Symbol | None:
        """The variable that an assignment writes."""
        for frame in reversed(self.frames):
            if name in frame:
                return frame[name]
        if self.own is None or name in self.own.globals:
            return self.module.names.get(name)
        if name in self.own.nonlocals:
            return self.capture(name) if self.parent is not None else None
        return self.variable(name)

    def declared(self, variable: Variable) -> Type | None:
        """The annotated type of a variable; parameters always have one."""
        return self.rounds.declared.get(variable)

    # ---- displays that are empty where they stand, and inner functions

    def grow(self, node: ast.AST, *types: Type) -> None:
        """Something is put into what an empty display made."""
        self.rounds.grow(node, types)

    def empty_item(self, node: ast.AST, count: int) -> tuple[Type, ...]:
        """The types of what is put in, NeverType where nothing was found yet."""
        return self.rounds.items.get(node) or tuple(NeverType() for _ in range(count))

    def check_function(
        self, node: ast.Lambda | ast.FunctionDef, expected: CallableType | None = None
    ) -> Expression:
        """A function value: an inner function, or a lambda."""
        from meshext_wasm.typecheck.expressions.closures import check_inner

        return check_inner(self, node, expected)
