"""How much a function may do between two charges: the longest way through its blocks, without going back.

Counted in parts of a step. A step is less than half a nanosecond in Envoy; what the numbers stand for was
measured there, in hooks that never end by themselves, each with other work (`e2e/filters/laborious`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Block, Function, Signature, Unit, successors
from meshext_wasm.passes.edges import back_edges

STEP: Final = 8
RAW: Final = 1
"""Words and bytes in memory."""
PLAIN: Final = 2
"""Reading and writing slots, tests, jumps."""
ARITHMETIC: Final = 4
"""With a test of what its operands are."""
DIVISION: Final = 48
CALL: Final = 44
UNKNOWN_CALL: Final = 72
"""Through a table."""
ALLOCATION: Final = 32
HOST_CALL: Final = 9600
OUTSIDE: Final = 48
"""What a function of another unit does beside what it charges itself."""
MUCH: Final = 320
"""A function that may do so much charges itself; one that does less is in its callers' work."""
LIMIT: Final = 1 << 24
"""No function has more: a charge is a word."""

FREE: Final = (ir.Constant, ir.Copy, ir.Descriptor, ir.ClassValue, ir.Site)
DIVIDING: Final = frozenset({"int.floordiv", "int.mod", "float.div", "float.sqrt"})
CAREFUL: Final = ("int.", "float.", "array.")
"""How the names of the intrinsics begin that are no raw ones."""


@dataclass(frozen=True, slots=True)
class Ways:
    """One function: `until` is the longest way from its beginning to the end of each block, `own` that of
    each block alone, `back` its edges that go back."""

    own: Mapping[str, int]
    until: Mapping[str, int]
    back: frozenset[tuple[str, str]]

    @property
    def longest(self) -> int:
        """The longest way through."""
        return min(LIMIT, max(self.until.values()))

    def around(self, source: str, target: str) -> int:
        """The longest way from a loop's beginning to the edge that goes back there."""
        return min(LIMIT, max(self.own[source], self.until[source] - self.until[target] + self.own[target]))


@dataclass(slots=True)
class Work:
    """The ways through each function of a unit. `counted` are those that charge themselves in any case."""

    unit: Unit
    counted: set[str]
    found: dict[str, Ways] = field(default_factory=dict)

    def measure(self) -> dict[str, Ways]:
        """Callees first; those in `counted` are in no caller's work, so there is no cycle."""
        functions = {each.symbol: each for each in self.unit.functions}
        waiting = list(functions)
        opened: set[str] = set()
        while waiting:
            function = functions[waiting[-1]]
            missing = [
                each
                for each in self.callees(function)
                if each in functions and each not in self.found and each not in self.counted
            ]
            if missing and function.symbol not in opened:
                opened.add(function.symbol)
                waiting += missing
                continue
            waiting.pop()
            if function.symbol not in self.found:
                self.found[function.symbol] = self.ways(function)
        return self.found

    @staticmethod
    def callees(function: Function) -> dict[str, None]:
        """Symbols of what it calls directly."""
        return {
            each.function: None
            for block in function.blocks.values()
            for each in block.instructions
            if isinstance(each, ir.Call)
        }

    def ways(self, function: Function) -> Ways:
        """Those of one function whose callees are known."""
        back = frozenset(back_edges(function))
        own = {block.label: self.of_block(block) for block in function.blocks.values()}
        until = {function.entry.label: own[function.entry.label]}
        for label in in_order(function, back):
            for target in successors(function.blocks[label]):
                if (label, target) not in back:
                    until[target] = max(until.get(target, 0), until[label] + own[target])
        return Ways(own, {**own, **until}, back)

    def of_block(self, block: Block) -> int:
        """One block."""
        return sum(map(self.of, block.instructions)) + PLAIN

    def of(self, instruction: ir.Instruction) -> int:
        """One instruction."""
        match instruction:
            case ir.Call():
                return CALL + self.of_callee(instruction.function)
            case ir.CallMethod() | ir.CallValue():
                return UNKNOWN_CALL + OUTSIDE
            case ir.MakeInstance() | ir.MakeArray() | ir.MakeFunction() | ir.Convert():
                return ALLOCATION
            case ir.Intrinsic():
                if instruction.name in DIVIDING:
                    return DIVISION
                return ARITHMETIC if instruction.name.startswith(CAREFUL) else RAW
            case _:
                return 0 if isinstance(instruction, FREE) else PLAIN

    def of_callee(self, symbol: str) -> int:
        """What a called function leaves to its callers."""
        signature: Signature | None = self.unit.signatures.get(symbol)
        if signature is not None and signature.host:
            return HOST_CALL
        ways = self.found.get(symbol)
        if symbol in self.counted:
            return 0
        if ways is None:
            return OUTSIDE
        return ways.longest if ways.longest < MUCH else 0


def in_order(function: Function, back: frozenset[tuple[str, str]]) -> list[str]:
    """Labels such that each stands before those it leads to, edges that go back left out."""
    entry = function.entry.label
    done: list[str] = []
    seen = {entry}
    path = [(entry, iter(successors(function.entry)))]
    while path:
        label, rest = path[-1]
        target = next((each for each in rest if each not in seen and (label, each) not in back), None)
        if target is None:
            path.pop()
            done.append(label)
        else:
            seen.add(target)
            path.append((target, iter(successors(function.blocks[target]))))
    return done[::-1]
