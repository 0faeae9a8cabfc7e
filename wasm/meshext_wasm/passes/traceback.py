"""Every error edge gets a block of its own that adds its line to the traceback, off the hot path."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Block, Function, Unit


def add_sites(unit: Unit) -> None:
    """Afterwards no edge is `LEAVE`: what leaves the function is a block that ends with `leave`."""
    for function in unit.functions:
        Sites(function).add()


@dataclass(slots=True)
class Sites:
    """The blocks of one function, one for each line and place it goes on to."""

    function: Function
    blocks: dict[tuple[int, str], Block] = field(default_factory=dict)

    def add(self) -> None:
        """Send every error edge through its block."""
        for block in self.function.blocks.values():
            block.instructions = [self.through(each) for each in block.instructions]
            end = block.end
            if end is not None and end.error is not None:
                block.end = replace(end, error=self.label(end))
        self.function.blocks |= {each.label: each for each in self.blocks.values()}

    def through(self, instruction: ir.Instruction) -> ir.Instruction:
        """The instruction with its new edge."""
        if instruction.error is None:
            return instruction
        return replace(instruction, error=self.label(instruction))

    def label(self, instruction: ir.Instruction) -> str:
        """Where its edge goes now. A bare `raise` and the library add no line."""
        error = instruction.error or ir.LEAVE
        again = isinstance(instruction, ir.Raise) and instruction.again
        silent = again or self.function.outside
        if silent and error != ir.LEAVE:
            return error
        line = 0 if silent else instruction.loc.line
        if (line, error) not in self.blocks:
            self.blocks[line, error] = self.block(instruction, line, error)
        return self.blocks[line, error].label

    def block(self, instruction: ir.Instruction, line: int, error: str) -> Block:
        """A new block: the line, then out or on to the handler."""
        made = Block(f"{error}.line{line}" if line else "out", handler=True, cold=True)
        loc = instruction.loc
        if line:
            made.instructions.append(ir.Site(loc=loc, function=self.function.name))
        made.end = ir.Leave(loc=loc) if error == ir.LEAVE else ir.Jump(loc=loc, target=error)
        return made
