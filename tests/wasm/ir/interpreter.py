"""Runs IR as it stands: slow, plain, and free of LLVM. Values are Python's own where there are any."""

from __future__ import annotations

import operator
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.program import Block, Function, Unit
from meshext_wasm.tree.program import Class


@dataclass(eq=False)
class Object:
    """An instance, array or function value."""

    cls: str
    slots: list[Any]


class Raised(Exception):
    """A pending exception on its way."""

    def __init__(self, value: Object) -> None:
        super().__init__(value.cls)
        self.value = value


class Exhausted(Exception):
    """The step budget is used up."""


STACK_BYTES = 8 * 1024
"""Less than in a module: every call here takes several of CPython's own."""
INTS: dict[str, Callable[..., Any]] = {
    name: getattr(operator, f"{name}_" if name in ("and", "or") else name)
    for name in "add sub mul floordiv mod and or xor lshift rshift neg invert lt le gt ge eq ne".split()
}
RAW: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "or": operator.or_,
    "ge": operator.ge,
}
WIDTHS = {"word": 32, "wide": 64}


def raw(kind: str, number: Any) -> Any:
    """A result of raw arithmetic: it wraps; truths stay as they are."""
    return number if isinstance(number, bool) else number % (1 << WIDTHS[kind])


def from_bits(bits: int) -> int:
    """The small int with these 64 bits."""
    assert bits & 1
    return (bits - (1 << 64) if bits >> 63 else bits) >> 1


OTHERS: dict[str, Callable[..., Any]] = {
    "bool.not": operator.not_,
    "value.from_bits": from_bits,
    "value.is": lambda a, b: a is b or (type(a) is type(b) and type(a) in (int, bool) and a == b),
    "array.get": lambda a, i: a.slots[i],
    "array.set": lambda a, i, value: operator.setitem(a.slots, i, value),
    "array.length": lambda a: len(a.slots),
    "float.add": operator.add,
    "float.mul": operator.mul,
    "float.lt": operator.lt,
    "float.bits": lambda a: struct.unpack("<Q", struct.pack("<d", a))[0],
}


@dataclass
class Machine:
    """A unit with what is outside of it: functions of Python by symbol, the classes by symbol."""

    unit: Unit
    outside: dict[str, Callable[..., Any]]
    classes: dict[str, Class]
    steps: int = 1_000_000
    budget: int = 1_000_000
    globals: dict[str, Any] = field(default_factory=dict)
    functions: dict[str, Function] = field(init=False)
    depth: int = 0
    stack: int = 0
    log: list[Any] = field(default_factory=list)
    sites: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.functions = {each.symbol: each for each in self.unit.functions}

    def call(self, symbol: str, *arguments: Any) -> Any:
        """The result of a function; Raised and Exhausted pass through."""
        if symbol not in self.functions:
            return self.outside[symbol](*arguments)
        function = self.functions[symbol]
        state: dict[ir.Register, Any] = dict(zip(function.parameters, arguments, strict=True))
        frame = Frame(self, function, state)
        block = function.entry
        while True:
            label = frame.run(block)
            if label is None:
                return frame.result
            block = function.blocks[label]

    def raised(self, name: str) -> Raised:
        return Raised(Object(f"builtins.exceptions.{name}", []))

    def below(self, symbol: str, others: tuple[str, ...]) -> bool:
        cls: Class | None = self.classes[symbol]
        while cls is not None:
            if cls.symbol in others:
                return True
            cls = cls.base
        return False


@dataclass
class Frame:
    machine: Machine
    function: Function
    state: dict[ir.Register, Any]
    result: Any = None
    pending: Exception | None = None

    def run(self, block: Block) -> str | None:
        """Run a block; the label of the next one, None at the end of the function."""
        assert (self.pending is not None) == block.handler
        for each in block.everything():
            self.machine.steps -= 1
            assert self.machine.steps > 0, "it runs for ever"
            try:
                value = self.step(each)
            except (Raised, Exhausted) as problem:
                assert each.error is not None, each
                if each.error == ir.LEAVE:
                    raise
                self.pending = problem
                return each.error
            if each.result is not None:
                self.state[each.result] = value
        return self.finish(block.end)

    def finish(self, end: ir.Terminator | None) -> str | None:
        match end:
            case ir.Jump():
                return end.target
            case ir.Branch():
                return end.then if self.state[end.operands[0]] is True else end.otherwise
            case ir.Return():
                self.result = self.state[end.operands[0]] if end.operands else None
                return None
            case ir.Leave():
                assert self.pending is not None
                raise self.pending
        raise AssertionError(end)

    def step(self, each: ir.Instruction) -> Any:
        values = [self.state[operand] for operand in each.operands]
        match each:
            case ir.Constant():
                return each.value
            case ir.Copy() | ir.Convert():
                return values[0]
            case ir.Intrinsic():
                return self.intrinsic(each.name, values)
            case ir.Call():
                return self.machine.call(each.function, *values)
            case ir.CallValue():
                return self.machine.call(values[0].slots[0], *values)
            case ir.MakeFunction():
                return Object("builtins.function", [each.function, *values])
            case ir.MakeInstance():
                return Object(each.cls, [ir.Mark.UNSET] * each.slots)
            case ir.MakeArray():
                return Object(each.cls, values)
            case ir.InstanceTest():
                return self.machine.below(values[0].cls, each.classes)
            case ir.ReadSlot():
                return values[0].slots[each.index]
            case ir.WriteSlot():
                values[0].slots[each.index] = values[1]
            case ir.ReadGlobal():
                return self.machine.globals[each.symbol]
            case ir.WriteGlobal():
                self.machine.globals[each.symbol] = values[0]
            case ir.Catch():
                return self.catch()
            case ir.Raise():
                raise Raised(values[0])
            case _:
                return self.count(each)
        return None

    def count(self, each: ir.Instruction) -> None:
        """Budgets, and sites of the traceback."""
        match each:
            case ir.Enter():
                if self.machine.stack + each.bytes > STACK_BYTES:
                    raise self.machine.raised("RecursionError")
                self.machine.stack += each.bytes
            case ir.Charge():
                self.spend(each.steps)
            case ir.Exit():
                self.machine.stack -= each.bytes
            case ir.Site():
                self.machine.sites.append((each.function, each.loc.line))
            case _:
                assert isinstance(each, ir.Terminator), each

    def spend(self, steps: int) -> None:
        self.machine.budget -= steps
        if self.machine.budget < 0:
            raise Exhausted("budget")

    def catch(self) -> Object:
        pending, self.pending = self.pending, None
        assert pending is not None
        if isinstance(pending, Exhausted):
            raise pending
        assert isinstance(pending, Raised)
        return pending.value

    def intrinsic(self, name: str, values: list[Any]) -> Any:
        kind, _, operation = name.partition(".")
        if name == "budget.charge":
            return self.spend(values[0])
        if name not in OTHERS and kind in ("word", "wide"):
            return raw(kind, RAW[operation](*values))
        if kind != "int":
            return OTHERS[name](*values)
        try:
            return INTS[operation](*values)
        except ZeroDivisionError:
            raise self.machine.raised("ZeroDivisionError") from None
