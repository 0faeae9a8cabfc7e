"""`functools.total_ordering`: the comparisons that a class leaves out, from the one that it has."""

from __future__ import annotations

import ast

from meshext_wasm.typecheck.declarations.declare import decorator_names
from meshext_wasm.typecheck.declarations.declared import ClassWork, Definition
from meshext_wasm.typecheck.meanings.symbols import FunctionSymbol, SpecialSymbol, find_member

NAMES = ("__lt__", "__le__", "__gt__", "__ge__")
"""In the order in which one is chosen to work from."""
FROM = {
    "__lt__": {
        "__gt__": "made is not True and self != other",
        "__le__": "made is True or self == other",
        "__ge__": "made is not True",
    },
    "__le__": {
        "__ge__": "made is not True or self == other",
        "__lt__": "made is True and self != other",
        "__gt__": "made is not True",
    },
    "__gt__": {
        "__lt__": "made is not True and self != other",
        "__ge__": "made is True or self == other",
        "__le__": "made is not True",
    },
    "__ge__": {
        "__le__": "made is not True or self == other",
        "__gt__": "made is True and self != other",
        "__lt__": "made is not True",
    },
}
METHOD = """
def {name}(self, other: TAKEN) -> BUILTINS.bool:
    made: BUILTINS.object = self.{root}(other)
    if made is BUILTINS.NotImplemented:
        return BUILTINS.NotImplemented
    return {result}
"""


def is_total(work: ClassWork) -> bool:
    """Whether a class has the decorator."""
    for name, each in zip(decorator_names(work.node), work.node.decorator_list, strict=True):
        symbol = work.outer.symbol_of(each)
        if name == "total_ordering" and isinstance(symbol, SpecialSymbol) and symbol.name == name:
            return True
    return False


def total_order(work: ClassWork) -> list[tuple[str, ast.expr]]:
    """The methods that are left out, as source, each with what its `other` is annotated with."""
    there = [name for name in NAMES if has_own(work, name)]
    root = there[0] if there else None
    node = next(
        (each for each in work.node.body if isinstance(each, Definition) and each.name == root),
        None,
    )
    if root is None or node is None or len(node.args.args) != 2 or node.args.args[1].annotation is None:
        reason = "total_ordering works from a comparison, which this class does not have"
        work.outer.report(work.node.decorator_list[0], reason, "def __lt__(self, other: ...) -> bool in it")
        return []
    taken = node.args.args[1].annotation
    missing = [name for name in NAMES if name not in there]
    return [(METHOD.format(name=each, root=root, result=FROM[there[0]][each]), taken) for each in missing]


def has_own(work: ClassWork, name: str) -> bool:
    """Whether a class, or one above it but `object`, has a method."""
    program = work.outer.program
    found = find_member(program, work.symbol, name)
    return isinstance(found, FunctionSymbol) and found.owner is not program.builtins.get("object")
