"""Edges that go back: every endless run takes one of them, or calls a function again."""

from __future__ import annotations

from meshext_wasm.ir.program import Function, successors


def back_edges(function: Function) -> set[tuple[str, str]]:
    """(from, to) for each edge to a block that a depth-first walk still has open; every cycle has one."""
    entry = function.entry.label
    found: set[tuple[str, str]] = set()
    seen, on_path = {entry}, {entry}
    path = [(entry, iter(successors(function.entry)))]
    while path:
        label, rest = path[-1]
        target = next(rest, None)
        if target is None:
            path.pop()
            on_path.discard(label)
        elif target in on_path:
            found.add((label, target))
        elif target not in seen:
            seen.add(target)
            on_path.add(target)
            path.append((target, iter(successors(function.blocks[target]))))
    return found
