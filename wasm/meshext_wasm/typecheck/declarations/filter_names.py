"""`self.name` in a filter: a property that each class below the SDK's `Filter` has of its own."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from meshext.filter import kebab_case
from meshext_wasm.typecheck.declarations.declared import ClassWork, Definition
from meshext_wasm.typecheck.meanings.synthesis import write_code

PROPERTY = "@property\ndef name(self) -> BUILTINS.str:\n    return {name!r}"


@dataclass(frozen=True, slots=True)
class FilterName:
    """The property, and the statement that gives the name where there is one."""

    node: Definition
    given: ast.stmt | None


def filter_name(work: ClassWork) -> FilterName | None:
    """The name of a filter; None for other classes, and where it is no literal."""
    if not is_filter(work):
        return None
    name, given = kebab_case(work.symbol.cls.name), None
    for each in work.node.body:
        match each:
            case (
                ast.Assign(targets=[ast.Name(id="name")], value=value)
                | ast.AnnAssign(target=ast.Name(id="name"), value=ast.expr() as value)
            ):
                if not (isinstance(value, ast.Constant) and isinstance(value.value, str)):
                    return None
                name, given = value.value, each
    made = write_code(PROPERTY.format(name=name), work.node)
    assert isinstance(made, Definition)
    return FilterName(made, given)


def is_filter(work: ClassWork) -> bool:
    """Whether a class of the program is below the SDK's Filter."""
    base = None if work.outer.is_library else work.symbol.base
    while base is not None:
        if base.cls.symbol == "meshext.filter.Filter":
            return True
        base = work.outer.program.class_symbol(base.cls).base
    return False
