"""Count the steps of loops in a register, and take them from the budget in memory once in a while.

A memory word that every round reads and writes costs more than the round itself. What a function has
counted is charged when it returns. What it counted when it raises is lost, so catching costs as much as that
can be: a loop of calls that raise still ends.
"""

from __future__ import annotations

from typing import Final

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Block, Function, Unit
from meshext_wasm.tree.program import Loc
from meshext_wasm.tree.types import Rep

AT_MOST: Final = 256
"""Steps that may be counted and not yet charged."""


def defer_charges(unit: Unit) -> None:
    """In every function that charges outside of its entry."""
    for function in unit.functions:
        blocks = [each for each in function.blocks.values() if place_of(each, function) is not None]
        if blocks:
            Deferring(function, blocks).run()
        for block in function.blocks.values():
            charge_catch(block)


def place_of(block: Block, function: Function) -> int | None:
    """Where a block charges; that of the entry counts for the call, not for a loop."""
    if block is function.entry:
        return None
    places = [index for index, each in enumerate(block.instructions) if isinstance(each, ir.Charge)]
    return places[0] if places else None


def charge_catch(block: Block) -> None:
    """Catching costs what raising may have lost."""
    if block.instructions and isinstance(block.instructions[0], ir.Catch):
        loc = block.instructions[0].loc
        block.instructions.insert(1, ir.Charge(loc=loc, steps=AT_MOST, error=ir.LEAVE))


class Deferring:
    """The rewriting of one function."""

    def __init__(self, function: Function, blocks: list[Block]) -> None:
        self.function = function
        self.blocks = blocks
        self.spent = ir.Register("spent.steps", Rep.WORD, variable=True)
        self.made = 0

    def run(self) -> None:
        """The register begins at 0; what is left in it at a return is charged there."""
        returning = [each for each in self.function.blocks.values() if isinstance(each.end, ir.Return)]
        for block in returning:
            assert block.end is not None
            block.instructions.append(self.charge(block.end.loc))
        for block in self.blocks:
            self.split(block)
        start = ir.Constant(loc=self.function.loc, result=self.spent, value=0)
        self.function.entry.instructions.insert(0, start)

    def split(self, block: Block) -> None:
        """Instead of the charge: count, and go the long way round when it is enough."""
        place = place_of(block, self.function)
        assert place is not None
        charge = block.instructions[place]
        assert isinstance(charge, ir.Charge)
        self.made += 1
        flush, rest = f"flush{self.made}", f"counted{self.made}"
        after = Block(rest, block.instructions[place + 1 :], block.end, cold=block.cold)
        block.instructions = [*block.instructions[:place], *self.count(charge)]
        enough = self.temporary("enough", Rep.BOOL)
        limit = self.temporary("limit", Rep.WORD)
        loc = charge.loc
        block.instructions += [
            ir.Constant(loc=loc, result=limit, value=AT_MOST),
            ir.Intrinsic(loc=loc, result=enough, operands=(self.spent, limit), name="word.ge"),
        ]
        block.end = ir.Branch(loc=loc, operands=(enough,), then=flush, otherwise=rest, likely=False)
        zero = ir.Constant(loc=loc, result=self.spent, value=0)
        long_way = Block(flush, [self.charge(loc), zero], ir.Jump(loc=loc, target=rest), cold=True)
        self.function.blocks |= {flush: long_way, rest: after}

    def count(self, charge: ir.Charge) -> list[ir.Instruction]:
        """Add the steps of a charge to the register."""
        steps = self.temporary("steps", Rep.WORD)
        return [
            ir.Constant(loc=charge.loc, result=steps, value=charge.steps),
            ir.Intrinsic(loc=charge.loc, result=self.spent, operands=(self.spent, steps), name="word.add"),
        ]

    def charge(self, loc: Loc) -> ir.Instruction:
        """Take what was counted from the budget."""
        return ir.Intrinsic(loc=loc, operands=(self.spent,), name="budget.charge", error=ir.LEAVE)

    def temporary(self, name: str, rep: Rep) -> ir.Register:
        """A register of the split being made."""
        return ir.Register(f"{name}.{self.made}", rep)
