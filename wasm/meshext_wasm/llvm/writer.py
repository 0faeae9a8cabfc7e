"""One function of LLVM's text while it is written."""

from __future__ import annotations

from collections.abc import Sequence

from meshext_wasm.ir.instructions import LEAVE, Register
from meshext_wasm.llvm.names import TYPES, UNSET, ZEROS, at, local, passed, returned
from meshext_wasm.llvm.outer import FAR, HOST, Outer
from meshext_wasm.tree.types import Rep

OUR_WORD, OTHER_MEMORY = "!tbaa !3", "align 1, !tbaa !4"
"""No heap object lies where the words of the run-time are, so a write to one leaves the other as it is.
An address that the library made may be any, so nothing is taken for granted of its alignment."""
LIKELY, UNLIKELY = "!prof !0", "!prof !1"


class Writer:
    """Lines of a function, the block they are written to, and what the function needs around it."""

    def __init__(self, outer: Outer) -> None:
        self.outer = outer
        self.lines: list[str] = []
        self.block = ""
        self.leaves = False
        self.cold = False
        self._count = 0

    def emit(self, line: str) -> None:
        """A line of the block."""
        self.lines.append(f"  {line}")

    def let(self, text: str) -> str:
        """A new name for what an operation gives."""
        self._count += 1
        name = f"%t{self._count}"
        self.lines.append(f"  {name} = {text}")
        return name

    def label(self, hint: str) -> str:
        """A name for a new block; no block of the IR has it."""
        self._count += 1
        return f"{hint}{self._count}"

    def start(self, label: str) -> None:
        """Begin a block."""
        self.lines.append(f'"{label}":')
        self.block = label

    def jump(self, label: str) -> None:
        """End the block."""
        self.emit(f"br label {local(label)}")

    def branch(self, test: str, then: str, otherwise: str, likely: bool | None = None) -> None:
        """End the block with a choice."""
        expected = "" if likely is None else f", {LIKELY if likely else UNLIKELY}"
        self.emit(f"br i1 {test}, label {local(then)}, label {local(otherwise)}{expected}")

    def get(self, register: Register) -> str:
        """The value of a register."""
        if register.variable:
            return self.let(f"load {TYPES[register.rep]}, ptr {local('v.' + register.name)}")
        return local("r." + register.name)

    def put(self, register: Register, value: str) -> None:
        """Give a register its value."""
        kind = TYPES[register.rep]
        if register.variable:
            self.emit(f"store {kind} {value}, ptr {local('v.' + register.name)}")
        else:
            self.emit(f"{local('r.' + register.name)} = bitcast {kind} {value} to {kind}")

    def pointer(self, address: str, offset: int = 0) -> str:
        """A pointer to what lies at a WORD."""
        if offset:
            address = self.let(f"add i32 {address}, {offset}")
        return self.let(f"inttoptr i32 {address} to ptr")

    def address(self, value: str) -> str:
        """The WORD of a VALUE that is a pointer."""
        return self.let(f"trunc i64 {value} to i32")

    def load(self, kind: str, address: str, offset: int = 0) -> str:
        """Read memory that is no word of ours."""
        return self.let(f"load {kind}, ptr {self.pointer(address, offset)}, {OTHER_MEMORY}")

    def store(self, kind: str, value: str, address: str, offset: int = 0) -> None:
        """Write memory that is no word of ours."""
        where = self.pointer(address, offset)
        self.emit(f"store {kind} {value}, ptr {where}, {OTHER_MEMORY}")

    def read(self, word: str, kind: str = "i32") -> str:
        """A word of the run-time."""
        return self.let(f"load {kind}, ptr {self.outer.state(word, kind)}, {OUR_WORD}")

    def write(self, word: str, value: str, kind: str = "i32") -> None:
        """Change a word of the run-time."""
        self.emit(f"store {kind} {value}, ptr {self.outer.state(word, kind)}, {OUR_WORD}")

    def call(
        self,
        symbol: str,
        gives: Rep,
        takes: Sequence[Rep],
        arguments: Sequence[str],
        *,
        cold: bool = False,
    ) -> str:
        """A call of a function by its symbol; what it gives, or nothing. `cold`: it seldom runs, as all do
        while the writer itself is `cold`."""
        if (cold or self.cold) and not symbol.startswith(HOST):
            symbol = FAR + symbol
        self.outer.declare_function(symbol, gives, takes)
        passed_ = ", ".join(passed(rep, each) for rep, each in zip(takes, arguments, strict=True))
        text = f"call {returned(gives)} {at(symbol)}({passed_})"
        if gives is Rep.NOTHING:
            self.emit(text)
            return ""
        return self.let(text)

    def built_in(self, name: str, gives: str, arguments: Sequence[tuple[str, str]]) -> str:
        """A call of an intrinsic of LLVM."""
        self.outer.declare(f"declare {gives} @{name}({', '.join(kind for kind, _ in arguments)})")
        text = f"call {gives} @{name}({', '.join(f'{kind} {value}' for kind, value in arguments)})"
        if gives == "void":
            self.emit(text)
            return ""
        return self.let(text)

    def check_pending(self, error: str | None) -> None:
        """After what may have raised: go to the error edge if it has. Nothing where it can not raise."""
        if error is not None:
            raised = self.let(f"icmp ne i32 {self.read('pending')}, 0")
            self.leave_if(raised, error)

    def leave_if(self, test: str, error: str) -> None:
        """Go to an error edge in the rare case."""
        on = self.label("on")
        self.branch(test, self.edge(error), on, likely=False)
        self.start(on)

    def edge(self, error: str) -> str:
        """The block of an error edge."""
        if error == LEAVE:
            self.leaves = True
            return "leave"
        return f"b.{error}"

    def variable(self, register: Register) -> None:
        """Room for a register that is written several times; it never holds what was never written."""
        kind = TYPES[register.rep]
        zero = str(UNSET) if register.rep is Rep.VALUE else ZEROS[register.rep]
        self.emit(f"{local('v.' + register.name)} = alloca {kind}")
        self.emit(f"store {kind} {zero}, ptr {local('v.' + register.name)}")
