"""The instructions of the IR.

Every instruction has one shape: the register it writes, the registers it reads, and where it goes when it
raises. So passes need no case for each of them. No concrete instruction has subclasses.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, final

from meshext_wasm.tree.expressions import Literal
from meshext_wasm.tree.program import Loc
from meshext_wasm.tree.types import Rep

LEAVE: Final = "leave"
"""The error edge that leaves the function: its result is zero and the exception stays pending."""


class Mark(Enum):
    """Constants that are no Python values."""

    UNSET = "unset"


@final
@dataclass(frozen=True, slots=True, eq=False)
class Register:
    """A place for one value. `variable`: may be written more than once; else exactly once.

    `name` is unique in its function.
    """

    name: str
    rep: Rep
    variable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Instruction:
    """Root. `error` is the label of the handler block it goes to when it raises, `LEAVE`, or None where it
    never raises. When it raises, `result` is not written."""

    loc: Loc
    result: Register | None = None
    operands: tuple[Register, ...] = ()
    error: str | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Constant(Instruction):
    """`r = const VALUE`; with a VALUE register a static object or an immediate, else a number."""

    value: Literal | Mark


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Copy(Instruction):
    """`r = a`, the same rep."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Convert(Instruction):
    """`r = convert a`: VALUE <-> BOOL (the Python bools only), VALUE <-> FLOAT. Boxing a float may raise."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Intrinsic(Instruction):
    """`r = NAME a, b`: a row of `tree.intrinsics`."""

    name: str


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Call(Instruction):
    """`r = call SYMBOL(a, b)`; the reps are those of `Unit.signatures[function]`."""

    function: str


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CallMethod(Instruction):
    """`r = method NAME[INDEX] of a(b, c)`: the function in this place of the table of the class of `a`,
    which is below `owner`, called with all the operands; `a` may be an immediate value. All operands are
    VALUEs."""

    method: str
    index: int
    owner: str


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CallValue(Instruction):
    """`r = value a(b, c)`: slot 0 of the function value `a` is the table index (a small int); called with all
    the operands, `a` first. All VALUEs."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MakeFunction(Instruction):
    """`r = function SYMBOL[a, b]`: an array object of class `function`: slot 0 the table index of the
    function, then the operands (cells). Without operands it is a static constant and never raises."""

    function: str


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassValue(Instruction):
    """`r = class SYMBOL`: the class as a VALUE."""

    cls: str


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Descriptor(Instruction):
    """`r = descriptor SYMBOL`: the address of the class's descriptor, a WORD."""

    cls: str


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MakeInstance(Instruction):
    """`r = instance SYMBOL SLOTS`: a new instance. `unset` are the slots that may be read before they
    are written."""

    cls: str
    slots: int
    unset: tuple[int, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MakeArray(Instruction):
    """`r = array SYMBOL[a, b]`: a new object of an array class with these slots."""

    cls: str


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InstanceTest(Instruction):
    """`r = a is CLASS | CLASS`: a BOOL, for any VALUE."""

    classes: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadGlobal(Instruction):
    """`r = global SYMBOL`."""

    symbol: str


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WriteGlobal(Instruction):
    """`global SYMBOL = a`; sets `heap.dirty` when `a` is a pointer."""

    symbol: str


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadSlot(Instruction):
    """`r = a.NAME[INDEX]`: a slot of an instance, UNSET included."""

    name: str
    index: int


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WriteSlot(Instruction):
    """`a.NAME[INDEX] = b`. `barrier`: whether `a` may be older than `heap.mark` and `b` a pointer."""

    name: str
    index: int
    barrier: bool = True


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Catch(Instruction):
    """`r = catch`, first in a handler block: takes the pending exception, none is pending afterwards. The end
    of the step budget is not taken: then it leaves the function at once (its `error` is always LEAVE, or
    after the passes a block that ends with `Leave`)."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Charge(Instruction):
    """`charge STEPS`: takes from the step budget; when it is used up, `Exhausted` is pending."""

    steps: int


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Enter(Instruction):
    """`enter BYTES`: adds to the stack's estimate; beyond the limit RecursionError, and nothing is added."""

    bytes: int


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exit(Instruction):
    """`exit BYTES`: takes from the stack's estimate what `enter` added."""

    bytes: int


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Site(Instruction):
    """`site NAME FILE:LINE`, in handler blocks: adds a line to the traceback of the pending exception."""

    function: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Terminator(Instruction):
    """Root of what ends a block."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Jump(Terminator):
    """`jump LABEL`."""

    target: str


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Branch(Terminator):
    """`branch a ? THEN : OTHERWISE`; `a` is a BOOL. `likely`: the way that is expected, if one is."""

    then: str
    otherwise: str
    likely: bool | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Return(Terminator):
    """`return a`, or without operand where the function gives NOTHING."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Raise(Terminator):
    """`raise a`: makes `a` pending and goes to its error edge. A traceback that belongs to another exception
    ends there; that of `a` itself goes on. `again`: a bare `raise`, which adds no site."""

    again: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Leave(Terminator):
    """`leave`, in handler blocks: leaves the function with a zero result, the exception pending."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Unreachable(Terminator):
    """`unreachable`: after a call that never returns. A trap."""
