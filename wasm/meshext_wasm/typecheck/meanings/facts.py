"""What is known at one point of a function: narrowed types, variables that surely have a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from meshext_wasm.tree.types import Type
from meshext_wasm.typecheck.meanings.symbols import Program
from meshext_wasm.typecheck.meanings.unions import join


@dataclass(frozen=True, slots=True)
class Facts:
    """`types`: narrowed types by source path (`x`, `x.y.z`); `assigned`: local names that surely have a
    value; `live`: whether this point can be reached."""

    types: Mapping[str, Type] = field(default_factory=dict)
    assigned: frozenset[str] = frozenset()
    live: bool = True

    def narrow(self, path: str, type_: Type) -> Facts:
        """The same, with one more narrowed type."""
        return Facts({**self.types, path: type_}, self.assigned, self.live)

    def assign(self, name: str) -> Facts:
        """After a variable was written: nothing is known of what lay below it."""
        kept = self.without(lambda path: root(path) == name)
        return replace(kept, assigned=self.assigned | {name})

    def unassign(self, name: str) -> Facts:
        """After a variable was deleted."""
        kept = self.without(lambda path: root(path) == name)
        return replace(kept, assigned=self.assigned - {name})

    def without(self, drop: Callable[[str], bool]) -> Facts:
        """The same without some paths."""
        if not self.types:
            return self
        types = {path: each for path, each in self.types.items() if not drop(path)}
        return Facts(types, self.assigned, self.live)

    def dead(self) -> Facts:
        """A point that is never reached."""
        return replace(self, live=False)


def root(path: str) -> str:
    """The variable that a path starts from."""
    return path.partition(".")[0]


def attributes(path: str) -> list[str]:
    """The attributes of a path."""
    return path.split(".")[1:]


def join_facts(program: Program, first: Facts, *others: Facts) -> Facts:
    """What is known where several ways meet."""
    reached = [each for each in (first, *others) if each.live]
    if not reached:
        return first.dead()
    head, *rest = reached
    paths = [path for path in head.types if all(path in each.types for each in rest)]
    types = {path: join(program, *(each.types[path] for each in reached)) for path in paths}
    assigned = frozenset.intersection(*(each.assigned for each in reached))
    return Facts(types, assigned)
