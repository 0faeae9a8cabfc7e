"""The descriptor of a class that is named: an address known to the linker, not a load."""

from __future__ import annotations

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Block, Unit


def name_descriptors(unit: Unit) -> None:
    """`class.descriptor` of a named class becomes `descriptor CLASS`."""
    for function in unit.functions:
        every = [each for block in function.blocks.values() for each in block.instructions]
        classes = {
            each.result: each.cls
            for each in every
            if isinstance(each, ir.ClassValue) and each.result is not None and not each.result.variable
        }
        for block in function.blocks.values() if classes else ():
            name_in(block, classes)


def name_in(block: Block, classes: dict[ir.Register, str]) -> None:
    """One block's instructions."""
    for index, each in enumerate(block.instructions):
        if isinstance(each, ir.Intrinsic) and each.name == "class.descriptor":
            cls = classes.get(each.operands[0])
            if cls is not None:
                block.instructions[index] = ir.Descriptor(loc=each.loc, result=each.result, cls=cls)
