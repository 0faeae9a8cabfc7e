"""Which blocks seldom run: what is marked, and all from which every way raises."""

from __future__ import annotations

from meshext_wasm.ir.instructions import Branch, Jump, Raise
from meshext_wasm.ir.program import Block, Function


def cold_blocks(function: Function) -> set[str]:
    """Their labels."""
    blocks = function.blocks.values()
    found = {each.label for each in blocks if each.cold or isinstance(each.end, Raise)}
    before = -1
    while before < len(found):
        before = len(found)
        found |= {each.label for each in blocks if (ways := ways_on(each)) and ways <= found}
    return found


def ways_on(block: Block) -> set[str]:
    """The blocks that its end goes on to where nothing is raised."""
    match block.end:
        case Jump(target=target):
            return {target}
        case Branch(then=then, otherwise=otherwise):
            return {then, otherwise}
        case _:
            return set()
