"""Local variables that are always exactly a float live outside of their box: no allocation for each write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Block, Function, Unit
from meshext_wasm.ir.trimming import remove_unreachable
from meshext_wasm.passes.boxes import boxed
from meshext_wasm.tree.types import Rep


def unbox_floats(unit: Unit) -> None:
    """In every function."""
    for function in unit.functions:
        sources = boxed(function)
        found = find_floats(function, sources)
        if found:
            Unboxing(function, sources, found).run()
            remove_unreachable(function)


def everything(function: Function) -> Iterator[ir.Instruction]:
    """All instructions of a function."""
    for block in function.blocks.values():
        yield from block.everything()


def find_floats(
    function: Function, sources: dict[ir.Register, ir.Register]
) -> dict[ir.Register, ir.Register]:
    """The variables to unbox, each with its new register."""
    found = {
        each.result
        for each in everything(function)
        if each.result is not None and each.result.variable and each.result.rep is Rep.VALUE
    } - set(function.parameters)
    handlers = any(each.handler for each in function.blocks.values())
    while found:
        bad = {
            each.result
            for each in everything(function)
            if each.result in found and not writes_float(each, found, sources)
        } | reads_that_hinder(function, found, handlers=handlers)
        if not bad:
            break
        found -= bad
    return {each: ir.Register(each.name, Rep.FLOAT, variable=True) for each in found}


def writes_float(
    instruction: ir.Instruction, found: set[ir.Register], sources: dict[ir.Register, ir.Register]
) -> bool:
    """Whether what an instruction writes is exactly a float, known without its box."""
    match instruction:
        case ir.Constant():
            return isinstance(instruction.value, float)
        case ir.Convert():
            return instruction.operands[0].rep is Rep.FLOAT
        case ir.Copy():
            source = instruction.operands[0]
            return source in found or (source in sources and sources[source].rep is Rep.FLOAT)
        case _:
            return False


def reads_that_hinder(function: Function, found: set[ir.Register], *, handlers: bool) -> set[ir.Register]:
    """Variables that are read in their box more often than without it, or where no error edge is known for
    making the box, or whose identity is asked for."""
    balance = dict.fromkeys(found, 0)
    bad: set[ir.Register] = set()
    for each in everything(function):
        bare = reads_bare(each, found)
        for operand in each.operands:
            if operand not in found:
                continue
            balance[operand] += 1 if bare else -1
            no_edge = handlers and each.error is None
            if not bare and (no_edge or (isinstance(each, ir.Intrinsic) and each.name == "value.is")):
                bad.add(operand)
    return bad | {each for each, count in balance.items() if count < 0}


def reads_bare(instruction: ir.Instruction, found: set[ir.Register]) -> bool:
    """Whether an instruction takes its operand out of the box anyway."""
    if isinstance(instruction, ir.Copy):
        return instruction.result in found
    return isinstance(instruction, ir.Convert)


class Unboxing:
    """The rewriting of one function."""

    def __init__(
        self,
        function: Function,
        sources: dict[ir.Register, ir.Register],
        found: dict[ir.Register, ir.Register],
    ) -> None:
        self.function = function
        self.sources = sources
        self.found = found
        self.made = 0

    def run(self) -> None:
        """Every block."""
        for block in self.function.blocks.values():
            self.rewrite(block)

    def rewrite(self, block: Block) -> None:
        """One block: reads that want the box get one."""
        kept: list[ir.Instruction] = []
        for each in block.instructions:
            kept.append(self.boxing(each, kept))
        if block.end is not None:
            end = self.boxing(block.end, kept)
            assert isinstance(end, ir.Terminator)
            block.end = end
        block.instructions = kept

    def boxing(self, each: ir.Instruction, before: list[ir.Instruction]) -> ir.Instruction:
        """The instruction over the new registers; boxes that it needs go before it."""
        if each.result in self.found:
            return self.writing(each, self.found[each.result])
        if isinstance(each, ir.Convert) and each.operands[0] in self.found:
            return ir.Copy(loc=each.loc, result=each.result, operands=(self.found[each.operands[0]],))
        if not any(operand in self.found for operand in each.operands):
            return each
        operands = tuple(self.box(each, operand, before) for operand in each.operands)
        return replace(each, operands=operands)

    def writing(self, each: ir.Instruction, result: ir.Register) -> ir.Instruction:
        """A write of a variable that is unboxed now."""
        if isinstance(each, ir.Constant):
            return replace(each, result=result)
        source = each.operands[0]
        bare = self.found.get(source) or (source if source.rep is Rep.FLOAT else self.sources[source])
        return ir.Copy(loc=each.loc, result=result, operands=(bare,))

    def box(self, reader: ir.Instruction, operand: ir.Register, before: list[ir.Instruction]) -> ir.Register:
        """A box with the value of an unboxed variable, for an instruction that wants one."""
        if operand not in self.found:
            return operand
        self.made += 1
        result = ir.Register(f"{operand.name}.box{self.made}", Rep.VALUE)
        source = self.found[operand]
        error = reader.error or ir.LEAVE
        before.append(ir.Convert(loc=reader.loc, result=result, operands=(source,), error=error))
        return result
