"""Leaving out blocks that nothing reaches; the builder relies on it, passes use it again."""

from __future__ import annotations

from meshext_wasm.ir.program import Function, successors


def reachable(function: Function) -> set[str]:
    """Labels of the blocks that may run."""
    entry = function.entry.label
    found, open_ = {entry}, [entry]
    while open_:
        for label in successors(function.blocks[open_.pop()]):
            if label not in found:
                found.add(label)
                open_.append(label)
    return found


def remove_unreachable(function: Function) -> None:
    """Drop every block that can not run."""
    found = reachable(function)
    function.blocks = {label: block for label, block in function.blocks.items() if label in found}
