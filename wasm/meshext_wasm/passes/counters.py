"""Counters of loops stay small ints: no overflow test when they are changed, no kind test when they are read.

A counter starts at a literal and is changed only by adding or subtracting literals. With literals up to 2**16
from a start below 2**40 it takes more than 2**44 changes to leave the 63 bits of a small int. Every loop is
charged to the step budget, whose largest value ends it long before that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Block, Function, Unit
from meshext_wasm.ir.trimming import remove_unreachable
from meshext_wasm.tree.types import Rep

LARGEST_START: Final = 2**40
LARGEST_STEP: Final = 2**16


def keep_counters_small(unit: Unit) -> None:
    """In every function that may be ended by the budget."""
    for function in unit.functions:
        if function.raises:
            numbers = literals(function)
            found = find_counters(function, numbers)
            if found:
                Counters(function, numbers, found).run()
                remove_unreachable(function)


def literals(function: Function) -> dict[ir.Register, int]:
    """The int that each register written once holds, where it is a literal."""
    return {
        each.result: each.value
        for each in everything(function)
        if isinstance(each, ir.Constant)
        and type(each.value) is int
        and each.result is not None
        and each.result.rep is Rep.VALUE
        and not each.result.variable
    }


def everything(function: Function) -> Iterator[ir.Instruction]:
    """All instructions but the ends of blocks, which write nothing."""
    for block in function.blocks.values():
        yield from block.instructions


def find_counters(function: Function, numbers: dict[ir.Register, int]) -> dict[ir.Register, ir.Register]:
    """The variables that are counters, each with the WIDE register that takes their bits."""
    counted: set[ir.Register] = set()
    others: set[ir.Register] = set(function.parameters)
    for each in everything(function):
        if each.result is None or not each.result.variable or each.result.rep is not Rep.VALUE:
            continue
        if step_of(each, numbers) is not None:
            counted.add(each.result)
        elif not is_start(each):
            others.add(each.result)
    return {each: ir.Register(each.name, Rep.WIDE, variable=True) for each in counted - others}


def is_start(instruction: ir.Instruction) -> bool:
    """Whether it writes a literal that a counter may start at."""
    return (
        isinstance(instruction, ir.Constant)
        and type(instruction.value) is int
        and abs(instruction.value) < LARGEST_START
    )


def step_of(instruction: ir.Instruction, numbers: dict[ir.Register, int]) -> int | None:
    """What it adds to its own result's register, None if it is nothing of this kind."""
    if not isinstance(instruction, ir.Intrinsic) or instruction.name not in ("int.add", "int.sub"):
        return None
    left, right = instruction.operands
    step = numbers.get(right)
    if left is not instruction.result or step is None or abs(step) > LARGEST_STEP:
        return None
    return step if instruction.name == "int.add" else -step


def bits(number: int) -> int:
    """The bits of a small int as a signed number."""
    return 2 * number + 1


class Counters:
    """The rewriting of one function."""

    def __init__(
        self,
        function: Function,
        numbers: dict[ir.Register, int],
        found: dict[ir.Register, ir.Register],
    ) -> None:
        self.function = function
        self.numbers = numbers
        self.found = found
        self.made = 0

    def run(self) -> None:
        """Every block."""
        for block in self.function.blocks.values():
            self.rewrite(block)

    def rewrite(self, block: Block) -> None:
        """One block: writes without tests, reads as a VALUE whose lowest bit is plain to see."""
        kept: list[ir.Instruction] = []
        for each in block.instructions:
            counter = None if each.result is None else self.found.get(each.result)
            kept += self.read_all(each) if counter is None else self.write(each, counter)
        if block.end is not None:
            *before, end = self.read_all(block.end)
            assert isinstance(end, ir.Terminator)
            kept += before
            block.end = end
        block.instructions = kept

    def write(self, each: ir.Instruction, counter: ir.Register) -> list[ir.Instruction]:
        """Start a counter, or change it."""
        if isinstance(each, ir.Constant):
            assert type(each.value) is int
            return [ir.Constant(loc=each.loc, result=counter, value=bits(each.value))]
        step = step_of(each, self.numbers)
        assert step is not None
        by = self.temporary(counter, Rep.WIDE)
        return [
            ir.Constant(loc=each.loc, result=by, value=2 * step),
            ir.Intrinsic(loc=each.loc, result=counter, operands=(counter, by), name="wide.add"),
        ]

    def read_all(self, each: ir.Instruction) -> list[ir.Instruction]:
        """An instruction after what makes VALUEs of the counters that it reads."""
        made: list[ir.Instruction] = []
        operands: list[ir.Register] = []
        for operand in each.operands:
            counter = self.found.get(operand)
            operands.append(operand if counter is None else self.read(each, counter, made))
        return [*made, replace(each, operands=tuple(operands)) if made else each]

    def read(self, reader: ir.Instruction, counter: ir.Register, made: list[ir.Instruction]) -> ir.Register:
        """The counter as a VALUE. Setting the bit that is set anyway tells LLVM that it is."""
        one, number = self.temporary(counter, Rep.WIDE), self.temporary(counter, Rep.WIDE)
        value = self.temporary(counter, Rep.VALUE)
        made += [
            ir.Constant(loc=reader.loc, result=one, value=1),
            ir.Intrinsic(loc=reader.loc, result=number, operands=(counter, one), name="wide.or"),
            ir.Intrinsic(loc=reader.loc, result=value, operands=(number,), name="value.from_bits"),
        ]
        return value

    def temporary(self, counter: ir.Register, rep: Rep) -> ir.Register:
        """A register of its own."""
        self.made += 1
        return ir.Register(f"{counter.name}.{rep}{self.made}", rep)
