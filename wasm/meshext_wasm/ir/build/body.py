"""The state while one function's IR is built: the open block, registers of variables, what encloses us."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.errors import BrokenIR
from meshext_wasm.ir.program import Block, Signature
from meshext_wasm.ir.raising import may_raise
from meshext_wasm.tree import statements as tree_statements
from meshext_wasm.tree.expressions import Literal
from meshext_wasm.tree.program import Function, Loc, Variable
from meshext_wasm.tree.types import Rep

Made = TypeVar("Made", bound=ir.Instruction)


@dataclass(slots=True, eq=False)
class Around:
    """What encloses the statement being built. `handler`: where exceptions go, "" for further out."""

    handler: str = ""


@dataclass(slots=True, eq=False)
class LoopAround(Around):
    """A loop: where `Break` and `Continue` go."""

    leave: str = ""
    again: str = ""


@dataclass(slots=True, eq=False)
class FinalAround(Around):
    """A `finally` that must run before control passes it. `exits`: the blocks that begin its copies, one for
    each way out that was used ("return", "break", "continue"). `kept`: what `return` gives meanwhile."""

    final: tuple[tree_statements.Statement, ...] = ()
    exits: dict[str, str] = field(default_factory=dict)
    kept: ir.Register | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """A `yield`: the block that ends there, the one behind it, and where exceptions go from there."""

    stops: str
    goes_on: str
    loc: Loc
    error: str


@dataclass(slots=True, eq=False)
class Body:
    """A function in the making."""

    function: Function
    signatures: dict[str, Signature]
    blocks: dict[str, Block] = field(default_factory=dict)
    block: Block = field(default_factory=lambda: Block("entry"))
    around: list[Around] = field(default_factory=list)
    registers: dict[Variable, ir.Register] = field(default_factory=dict)
    cells: dict[Variable, ir.Register] = field(default_factory=dict)
    nested: list[Function] = field(default_factory=list)
    adapted: list[Function] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=dict)
    pauses: list[Pause] = field(default_factory=list)

    def fresh(self, name: str) -> str:
        """A name nobody has yet: `name`, `name.1`, ..."""
        count = self.taken.get(name, 0)
        self.taken[name] = count + 1
        return name if count == 0 else f"{name}.{count}"

    def temporary(self, rep: Rep) -> ir.Register:
        """A register that is written once."""
        count = self.taken.get("%", 0) + 1
        self.taken["%"] = count
        return ir.Register(f"%{count}", rep)

    def several(self, name: str, rep: Rep) -> ir.Register:
        """A register that may be written more than once."""
        return ir.Register(self.fresh(name), rep, variable=True)

    def label(self, hint: str) -> str:
        """A new label."""
        return self.fresh(hint)

    def start(self, label: str, *, handler: bool = False, cold: bool = False) -> None:
        """Go on in a new block."""
        self.block = Block(label, handler=handler, cold=cold)
        self.blocks[label] = self.block

    @property
    def error(self) -> str:
        """Where an exception goes from here."""
        return next((each.handler for each in reversed(self.around) if each.handler), ir.LEAVE)

    def emit(
        self,
        kind: type[Made],
        loc: Loc,
        *operands: ir.Register,
        result: ir.Register | None = None,
        **rest: Any,
    ) -> None:
        """Add an instruction; its error edge is set here if it may raise."""
        made = kind(loc=loc, result=result, operands=operands, **rest)
        if may_raise(made, self.signatures):
            made = kind(loc=loc, result=result, operands=operands, error=self.error, **rest)
        self.block.instructions.append(made)

    def end(self, end: ir.Terminator) -> None:
        """End the open block; what follows is dead until `start`."""
        self.block.end = end
        self.start(self.label("dead"))

    def jump(self, loc: Loc, label: str) -> None:
        """End the open block with a jump."""
        self.end(ir.Jump(loc=loc, target=label))

    def branch(
        self, loc: Loc, test: ir.Register, then: str, otherwise: str, *, likely: bool | None = None
    ) -> None:
        """End the open block with a branch."""
        self.end(ir.Branch(loc=loc, operands=(test,), then=then, otherwise=otherwise, likely=likely))

    def constant(
        self, loc: Loc, value: Literal | ir.Mark, rep: Rep, into: ir.Register | None = None
    ) -> ir.Register:
        """A constant in a register."""
        result = into or self.temporary(rep)
        self.emit(ir.Constant, loc, result=result, value=value)
        return result

    def register(self, variable: Variable) -> ir.Register:
        """The register of a local variable that is in no cell."""
        found = self.registers.get(variable)
        if found is None:
            raise BrokenIR(f"{self.function.symbol}: variable {variable.name} is none of its locals")
        return found

    def cell(self, variable: Variable) -> ir.Register:
        """The register that holds the cell of a shared variable."""
        found = self.cells.get(variable)
        if found is None:
            raise BrokenIR(f"{self.function.symbol}: no cell of {variable.name} here")
        return found
