"""The descriptor of a class that is named: an address known to the linker, not a load. What is made by such a
descriptor is made in place, where its class is one of the unit's."""

from __future__ import annotations

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Block, Unit
from meshext_wasm.ir.slots import count_slots


def name_descriptors(unit: Unit) -> None:
    """`class.descriptor` of a named class becomes `descriptor CLASS`, `instance.new` of it then
    `instance CLASS`."""
    sizes = {each.symbol: count_slots(each) for each in unit.classes}
    for function in unit.functions:
        every = [each for block in function.blocks.values() for each in block.instructions]
        classes = {
            each.result: each.cls
            for each in every
            if isinstance(each, ir.ClassValue) and each.result is not None and not each.result.variable
        }
        named: dict[ir.Register, str] = {}
        for block in function.blocks.values() if classes else ():
            name_in(block, classes, named)
        for block in function.blocks.values() if named else ():
            make_in(block, named, sizes)


def make_in(block: Block, named: dict[ir.Register, str], sizes: dict[str, int]) -> None:
    """One block's new instances."""
    for index, each in enumerate(block.instructions):
        if isinstance(each, ir.Intrinsic) and each.name == "instance.new":
            cls = named.get(each.operands[0])
            if cls in sizes:
                block.instructions[index] = ir.MakeInstance(
                    loc=each.loc,
                    result=each.result,
                    error=each.error,
                    cls=cls,
                    slots=sizes[cls],
                    unset=tuple(range(sizes[cls])),
                )


def name_in(block: Block, classes: dict[ir.Register, str], named: dict[ir.Register, str]) -> None:
    """One block's descriptors, noted in `named`."""
    for index, each in enumerate(block.instructions):
        if isinstance(each, ir.Intrinsic) and each.name == "class.descriptor":
            cls = classes.get(each.operands[0])
            if cls is not None and each.result is not None:
                named[each.result] = cls
                block.instructions[index] = ir.Descriptor(loc=each.loc, result=each.result, cls=cls)
