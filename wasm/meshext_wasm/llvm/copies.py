"""Small functions of other units, copied into a unit so that LLVM can put them where they are called.

A copy is `available_externally`: it is there for the optimiser only, and calls that it leaves go to the one
definition that there is. Without them a unit would call a function to learn the length of a str.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Function, Signature, Unit
from meshext_wasm.llvm.functions import FunctionLowering
from meshext_wasm.llvm.outer import Noting
from meshext_wasm.passes.edges import back_edges
from meshext_wasm.tree.expressions import Literal

MOST: Final = 14
"""Instructions of a function that is small; constants, copies and what is cold are not counted."""
FREE: Final = (ir.Constant, ir.Copy, ir.Jump, ir.Leave)
NEVER: Final = (ir.Enter, ir.MakeFunction, ir.CallValue, ir.Catch)
"""What a function has that is large however short it is, or that stands for more than itself."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A small function as LLVM's text, which is the same in every unit, and what it asks of an `Outer`."""

    text: str
    asked: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True, slots=True)
class Copies:
    """Small functions by symbol, the signatures of all that they call, and what the passes take from other
    units: `inits` and `constants` as of a `Unit`."""

    functions: Mapping[str, Copy] = field(default_factory=dict)
    signatures: Mapping[str, Signature] = field(default_factory=dict)
    inits: Mapping[str, Function] = field(default_factory=dict)
    constants: Mapping[str, Literal] = field(default_factory=dict)


NONE: Final = Copies()


def choose_copies(unit: Unit) -> Copies:
    """The small functions of a unit, after all passes."""
    functions = {each.symbol: each for each in unit.functions if is_small(each)}
    copied = [*functions.values(), *unit.inits.values()]
    called = {symbol for each in copied for symbol in calls_of(each)}
    signatures = {symbol: outward(unit.signatures[symbol]) for symbol in sorted(called)}
    texts = {symbol: copy_of(each, unit.signatures) for symbol, each in functions.items()}
    return Copies(texts, signatures, unit.inits, unit.constants)


def outward(signature: Signature) -> Signature:
    """A signature for other units, which rely on nothing that a pass found out."""
    return replace(signature, raises=not signature.host)


def copy_of(function: Function, signatures: dict[str, Signature]) -> Copy:
    """A small function, written once for all units that copy it."""
    outer = Noting()
    text = FunctionLowering(function, signatures, outer, copied=True).lower()
    return Copy(text, tuple(outer.asked))


def calls_of(function: Function) -> Iterable[str]:
    """Symbols of the functions that it calls, and its own."""
    yield function.symbol
    for block in function.blocks.values():
        yield from (each.function for each in block.instructions if isinstance(each, ir.Call))


def is_small(function: Function) -> bool:
    """Whether copying it costs less than calling it, about."""
    if function.export or "<" in function.symbol:
        return False
    blocks = [each for each in function.blocks.values() if not each.cold]
    every = [each for block in function.blocks.values() for each in block.everything()]
    counted = [each for block in blocks for each in block.everything() if not isinstance(each, FREE)]
    return (
        len(counted) <= MOST
        and not any(isinstance(each, NEVER) for each in every)
        and not back_edges(function)
    )
