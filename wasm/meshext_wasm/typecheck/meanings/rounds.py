"""What a function's rounds of checking have in common.

The type of a variable is the join of all that is assigned to it, which is known only after the whole function
was read. So a function is checked again until a round finds what the round before it found; the tree and the
reports of that last round count.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from meshext_wasm.diagnostics.diagnostic import Diagnostic
from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.program import Field, Global, Variable
from meshext_wasm.tree.types import NeverType, Type
from meshext_wasm.typecheck.meanings.symbols import Program
from meshext_wasm.typecheck.meanings.unions import join

LIMIT = 20
Key = tuple[int, str]
Holder = Variable | Global | Field


@dataclass(slots=True)
class Rounds:
    """`variables` are kept over the rounds, `types` is what this round joined so far, `items` the types of
    what is put into displays that are empty where they stand, by node, `results` those of inner functions
    that do not say theirs. `empties` are the expressions that such displays became, `origins` the displays
    that a variable's value may come from."""

    program: Program
    variables: dict[Key, Variable] = field(default_factory=dict)
    keys: set[Holder] = field(default_factory=set)
    declared: dict[Holder, Type] = field(default_factory=dict)
    types: dict[Holder, Type] = field(default_factory=dict)
    items: dict[ast.AST, tuple[Type, ...]] = field(default_factory=dict)
    fresh: dict[ast.AST, tuple[Type, ...]] = field(default_factory=dict)
    results: dict[ast.AST, Type] = field(default_factory=dict)
    empties: dict[Expression, ast.AST] = field(default_factory=dict)
    origins: dict[Variable, list[ast.AST]] = field(default_factory=dict)
    reports: list[Diagnostic] = field(default_factory=list)
    settled: bool = True

    def start(self) -> None:
        """Begin a round."""
        self.types, self.fresh, self.empties, self.reports, self.settled = {}, {}, {}, [], True

    def variable(self, key: Key, name: str, *, cell: bool) -> Variable:
        """The variable of a name in a function, made when first met."""
        if key not in self.variables:
            self.variables[key] = Variable(name, NeverType(), cell=cell)
            self.keys.add(self.variables[key])
        return self.variables[key]

    def assign(self, holder: Holder, type_: Type) -> None:
        """A variable gets a value of a type."""
        self.types[holder] = join(self.program, self.types.get(holder, NeverType()), type_)
        if isinstance(holder, Global | Field):
            self.keys.add(holder)

    def grow(self, node: ast.AST, types: tuple[Type, ...]) -> None:
        """Something is put into what an empty display made."""
        known = self.fresh.get(node, tuple(NeverType() for _ in types))
        self.fresh[node] = tuple(join(self.program, *pair) for pair in zip(known, types, strict=True))

    def give(self, node: ast.AST, type_: Type) -> None:
        """An inner function without annotation gives a value of a type."""
        if self.results.get(node, NeverType()) != type_:
            self.results[node] = type_
            self.settled = False

    def finish(self) -> bool:
        """End a round; whether it found nothing new."""
        settled = self.settled and self.items == self.fresh
        self.items = self.fresh
        for holder in self.keys:
            new = self.declared.get(holder) or self.types.get(holder, NeverType())
            if holder.type != new:
                holder.type = new
                settled = False
        return settled
