"""Which instructions may raise: the one rule that builder, passes and verifier share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Signature
from meshext_wasm.tree.intrinsics import OPERATIONS
from meshext_wasm.tree.types import Rep

NEVER_RAISING: Final = frozenset(f"int.{each}" for each in ("lt", "le", "gt", "ge", "eq", "ne"))
"""They have a slow way in the library, but comparing ints neither fails nor allocates."""


def operation_raises(name: str) -> bool:
    """Whether an intrinsic may raise."""
    return OPERATIONS[name].raises and name not in NEVER_RAISING


def may_raise(instruction: ir.Instruction, signatures: Mapping[str, Signature]) -> bool:
    """Whether an instruction needs an error edge."""
    match instruction:
        case ir.Intrinsic():
            return operation_raises(instruction.name)
        case ir.Call():
            return signatures[instruction.function].raises
        case ir.MakeFunction():
            return bool(instruction.operands)
        case ir.Convert():
            return instruction.operands[0].rep is Rep.FLOAT
        case _:
            return isinstance(instruction, ALWAYS)


ALWAYS: Final = (
    ir.CallMethod,
    ir.CallValue,
    ir.MakeInstance,
    ir.MakeArray,
    ir.Catch,
    ir.Charge,
    ir.Enter,
    ir.Raise,
)
