"""The verifier: every rule of the IR, checked after building and after every pass. Cheap and strict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.definite import numbers, reads_before, results, written_at_start
from meshext_wasm.ir.errors import BrokenIR
from meshext_wasm.ir.printing import print_function, print_instruction
from meshext_wasm.ir.program import Block, Function, Signature, Unit, next_labels
from meshext_wasm.ir.raising import may_raise
from meshext_wasm.ir.shapes import check_types


def verify_unit(unit: Unit, *, after: str) -> None:
    """Check every function; BrokenIR names what is wrong, where, and what ran last."""
    for function in unit.functions:
        verify(function, unit.signatures, after=after)


def verify(
    function: Function,
    signatures: Mapping[str, Signature],
    *,
    after: str,
    sound: set[ir.Instruction] | None = None,
) -> None:
    """Check one function. `sound` are instructions that were checked by themselves in this function before,
    with the same signatures and result; those that are now come to them."""
    known = set[ir.Instruction]() if sound is None else sound
    problems = list(find_problems(function, signatures, known))
    if problems:
        told = "\n".join([f"{function.symbol} is broken after {after}:", *problems])
        raise BrokenIR(f"{told}\n{print_function(function)}")


def find_problems(
    function: Function, signatures: Mapping[str, Signature], sound: set[ir.Instruction]
) -> Iterator[str]:
    """Everything that is wrong; what needs sound blocks is checked only where these are sound."""
    structure = [*check_registers(function), *check_blocks(function)]
    yield from structure
    for block in function.blocks.values():
        for each in block.everything():
            if each not in sound:
                sound.add(each)
                yield from check_instruction(each, function, signatures)
    if not structure:
        yield from check_written(function)


def check_registers(function: Function) -> Iterator[str]:
    """One register for a name; what is no variable is written once."""
    writes = Counter([*function.parameters, *results(function)])
    owners: dict[str, ir.Register] = {}
    for register, count in writes.items():
        if owners.setdefault(register.name, register) is not register:
            yield f"two registers are called {register.name}"
        if count > 1 and not register.variable:
            yield f"{register.name} is written {count} times"


def check_blocks(function: Function) -> Iterator[str]:
    """Labels, ends, and who may go to a handler block."""
    if not function.blocks:
        yield "it has no block"
        return
    entry = function.entry
    if entry.handler:
        yield "its entry is a handler block"
    for label, block in function.blocks.items():
        if block.label != label:
            yield f"block {block.label} is kept as {label}"
        yield from check_block(function, block, entry)


def check_block(function: Function, block: Block, entry: Block) -> Iterator[str]:
    """One block: its end, its edges, and `catch` where it belongs."""
    if block.end is None:
        yield f"{block.label} has no end"
    pending = block.handler
    for index, each in enumerate(block.instructions):
        if isinstance(each, ir.Terminator):
            yield f"{block.label}: `{print_instruction(each)}` in the middle"
        if isinstance(each, ir.Catch):
            if index or not block.handler:
                yield f"{block.label}: `catch` is not first in a handler block"
            pending = False
        elif pending and not isinstance(each, ir.Site | ir.Exit):
            yield f"{block.label}: `{print_instruction(each)}` while an exception is pending"
    for each in block.everything():
        if each.error is not None or each is block.end:  # others only go on
            yield from check_edges(function, block, each, entry, pending=pending)
    if isinstance(block.end, ir.Leave) != pending and not (pending and isinstance(block.end, ir.Jump)):
        yield f"{block.label} ends with `{type(block.end).__name__.lower()}`, pending: {pending}"


def check_edges(
    function: Function, block: Block, instruction: ir.Instruction, entry: Block, *, pending: bool
) -> Iterator[str]:
    """Targets exist, none is the entry; a handler block is entered with an exception pending and only so."""
    for label in next_labels(instruction):
        target = function.blocks.get(label)
        if target is None:
            yield f"{block.label}: no block {label}"
        elif target.handler != (pending or label == instruction.error):
            yield f"{block.label}: `{print_instruction(instruction)}` may not go to {label}"
        elif target is entry:
            yield f"{block.label} goes to the entry"


def check_instruction(
    instruction: ir.Instruction, function: Function, signatures: Mapping[str, Signature]
) -> Iterator[str]:
    """Reps, and an error edge exactly where it may raise."""
    if isinstance(instruction, ir.Call) and instruction.function not in signatures:
        yield f"`{print_instruction(instruction)}`: unknown function"
        return
    wrong = check_types(instruction, function, signatures)
    if wrong is not None:
        yield f"`{print_instruction(instruction)}` {wrong}"
    elif may_raise(instruction, signatures) != (instruction.error is not None):
        yield f"`{print_instruction(instruction)}`: error edge missing, or one that is never taken"


def check_written(function: Function) -> Iterator[str]:
    """Every block can run, and nothing is read before it is written on every way."""
    bits = numbers(function)
    at_start = written_at_start(function, bits)
    yield from (f"nothing goes to {label}" for label in function.blocks.keys() - at_start.keys())
    for block, each, register in reads_before(function, bits, at_start):
        yield f"{block.label}: `{print_instruction(each)}` reads {register.name} before it is written"
