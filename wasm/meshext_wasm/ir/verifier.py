"""A unit, verified again and again while passes change it.

What has not changed since it was found sound is sound still against the same signatures, so only the rest is
looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from meshext_wasm.ir.instructions import Call, Instruction, Register, Terminator
from meshext_wasm.ir.program import Function, Signature, Unit
from meshext_wasm.ir.verify import verify
from meshext_wasm.tree.types import Rep

Content = tuple[
    tuple[Register, ...], Rep, list[tuple[str, str, bool, tuple[Instruction, ...], Terminator | None]]
]
"""All of a function that the rules are about. Instructions never change, so that each stands for itself."""


@dataclass(slots=True, eq=False)
class Verifier:
    """What of a unit was found sound: the contents of functions, and single instructions in them."""

    unit: Unit
    signatures: dict[str, Signature] = field(default_factory=dict)
    contents: dict[Function, Content] = field(default_factory=dict)
    instructions: dict[Function, set[Instruction]] = field(default_factory=dict)

    def verify(self, *, after: str) -> None:
        """Check what is new; BrokenIR names what is wrong, where, and what ran last."""
        self.forget_calls()
        for function in self.unit.functions:
            now = content_of(function)
            if self.contents.get(function) != now:
                sound = self.instructions.setdefault(function, set())
                verify(function, self.signatures, after=after, sound=sound)
                self.contents[function] = now

    def forget_calls(self) -> None:
        """Look again at the calls of functions whose signatures changed, and at what they stand in."""
        if self.signatures == self.unit.signatures:
            return
        before, self.signatures = self.signatures, dict(self.unit.signatures)
        names = before.keys() | self.signatures.keys()
        changed = {each for each in names if before.get(each) != self.signatures.get(each)}
        for function, sound in self.instructions.items():
            calls = {each for each in sound if isinstance(each, Call) and each.function in changed}
            if calls:
                sound -= calls
                self.contents.pop(function, None)


def content_of(function: Function) -> Content:
    """A function as it is now."""
    return (
        tuple(function.parameters),
        function.result,
        [
            (label, each.label, each.handler, tuple(each.instructions), each.end)
            for label, each in function.blocks.items()
        ],
    )
