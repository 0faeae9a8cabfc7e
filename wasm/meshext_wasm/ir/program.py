"""Blocks, functions and units of the IR."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from meshext_wasm.ir.instructions import LEAVE, Branch, Instruction, Jump, Register, Terminator
from meshext_wasm.tree.expressions import Literal
from meshext_wasm.tree.pickling import soon_read
from meshext_wasm.tree.program import Class, Global, Loc
from meshext_wasm.tree.types import Rep


@dataclass(slots=True, eq=False)
class Block:
    """Instructions in order, then one end. Control may also leave after any instruction that raises.

    `handler`: entered with an exception pending, by error edges or from another handler block; it begins
    with `Catch`, or takes nothing and ends with `Leave` or a jump to a handler block. `cold`: seldom run.
    """

    label: str
    instructions: list[Instruction] = field(default_factory=list)
    end: Terminator | None = None
    handler: bool = False
    cold: bool = False

    def everything(self) -> list[Instruction]:
        """The instructions and the end."""
        return [*self.instructions] if self.end is None else [*self.instructions, self.end]


@soon_read
@dataclass(frozen=True, slots=True)
class Signature:
    """How a function is called. `host` is its name in the proxy where it is an import of the module.

    `raises`: whether an exception may be pending after the call.
    """

    symbol: str
    takes: tuple[Rep, ...]
    gives: Rep
    raises: bool = True
    host: str = ""


@dataclass(slots=True, eq=False)
class Function:
    """A function with a body. The first block is its entry; nothing jumps there.

    What becomes a function value (a closure, or an adapter around a plain function) has the value itself as
    its first parameter and takes and gives VALUEs only. `name` is what a traceback shows. `outside`: left
    out of tracebacks. `export`: the name under which the module exports it.
    """

    symbol: str
    name: str
    loc: Loc
    parameters: list[Register]
    result: Rep
    blocks: dict[str, Block]
    raises: bool = True
    outside: bool = False
    export: str = ""

    @property
    def signature(self) -> Signature:
        """How it is called."""
        return Signature(
            self.symbol, tuple(each.rep for each in self.parameters), self.result, raises=self.raises
        )

    @property
    def entry(self) -> Block:
        """Where it begins."""
        return next(iter(self.blocks.values()))


@dataclass(slots=True, eq=False)
class Unit:
    """What becomes one object. `bodies` are the symbols of module bodies in the order in which they run.

    `signatures` has every function that the unit defines or calls; classes of other units are named by
    symbol only. `inits` are those `__init__` that may stand in the place of a call, as they were before other
    passes, `constants` the globals that never change: of other units at first, then the unit's own.
    """

    name: str
    functions: list[Function] = field(default_factory=list)
    signatures: dict[str, Signature] = field(default_factory=dict)
    classes: list[Class] = field(default_factory=list)
    globals: list[Global] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    inits: Mapping[str, Function] = field(default_factory=dict)
    constants: Mapping[str, Literal] = field(default_factory=dict)


def next_labels(instruction: Instruction) -> tuple[str, ...]:
    """Where an instruction may go instead of to the next one, LEAVE left out."""
    error = instruction.error
    labels = () if error is None or error == LEAVE else (error,)
    if isinstance(instruction, Jump):
        return (instruction.target, *labels)
    if isinstance(instruction, Branch):
        return (instruction.then, instruction.otherwise, *labels)
    return labels


def successors(block: Block) -> tuple[str, ...]:
    """The labels of the blocks that may run after it, each once, in order."""
    found = {each.error: None for each in block.instructions if each.error is not None}
    found.pop(LEAVE, None)
    if block.end is not None:
        for label in next_labels(block.end):
            found[label] = None
    return tuple(found)
