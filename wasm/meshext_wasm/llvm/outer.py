"""What stands around the functions of a unit in the text: declarations, constants, words of the run-time."""

from __future__ import annotations

from collections.abc import Sequence

from meshext_wasm.llvm.names import at, passed, returned
from meshext_wasm.tree.types import Rep

STATE = "state:"
HELPER = "rt:"
HOST = "host:"
FAR = "far:"
"""Before the symbol of a function that a call seldom runs: the linker lets it go through the table."""
NEVER_UNWINDS = "#0"
FAST, COMPACT = "nounwind", "nounwind minsize optsize"
"""What LLVM is to make of functions."""
HEAD = """\
target triple = "wasm32-unknown-unknown"
!0 = !{!"branch_weights", i32 4000, i32 1}
!1 = !{!"branch_weights", i32 1, i32 4000}
!2 = !{!"memory"}
!5 = !{!"our word", !2}
!6 = !{!"other memory", !2}
!3 = !{!5, !5, i64 0}
!4 = !{!6, !6, i64 0}
"""


class Outer:
    """Collects what functions need; each once, in the order in which it was asked for first. `compact`: the
    code is to be small rather than fast."""

    def __init__(self, *, compact: bool = False) -> None:
        self.compact = compact
        self.defined: set[str] = set()
        self._declared: dict[str, str] = {}
        self._constants: dict[str, str] = {}

    def need(self, symbol: str, line: str) -> None:
        """The line that declares a symbol, unless it is defined here."""
        if symbol not in self.defined:
            self._declared.setdefault(symbol, line)

    def define(self, symbol: str, text: str) -> str:
        """Data of this unit, or data that is the same wherever it stands."""
        if symbol not in self._constants:
            self.defined.add(symbol)
            self._declared.pop(symbol, None)
            self._constants[symbol] = f"{at(symbol)} = {text}"
        return at(symbol)

    def declare(self, line: str) -> None:
        """A declaration of something that is no symbol of ours."""
        self.need(line, line)

    def declare_function(self, symbol: str, gives: Rep, takes: Sequence[Rep]) -> None:
        """A function that may be defined elsewhere."""
        if symbol not in self.defined:
            takes_ = ", ".join(passed(each) for each in takes)
            self.need(symbol, f"declare {returned(gives)} {at(symbol)}({takes_}) {NEVER_UNWINDS}")

    def state(self, word: str, kind: str = "i32") -> str:
        """A word of the run-time."""
        return self.datum(STATE + word, kind)

    def datum(self, symbol: str, kind: str = "i8", address: str = "") -> str:
        """Data that may be defined elsewhere; `address` says what is known of where."""
        self.need(symbol, f"{at(symbol)} = external {address}global {kind}")
        return at(symbol)

    def undefined(self, prefix: str) -> list[str]:
        """The symbols of this kind that were asked for and are not defined here, without the prefix."""
        return [
            each.removeprefix(prefix)
            for each in self._declared
            if each.startswith(prefix) and each not in self.defined
        ]

    def text(self) -> str:
        """All of it."""
        declared = [line for symbol, line in self._declared.items() if symbol not in self.defined]
        attributes = f'attributes {NEVER_UNWINDS} = {{ {COMPACT if self.compact else FAST} "no-builtins" }}'
        return "\n".join([HEAD, attributes, *self._constants.values(), *declared, ""])


class Noting(Outer):
    """One that notes what was asked of it, so that another can be asked for the same."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[tuple[str, str, bool], None] = {}

    def need(self, symbol: str, line: str) -> None:
        """Noted."""
        self.asked[symbol, line, False] = None

    def define(self, symbol: str, text: str) -> str:
        """Noted."""
        self.asked[symbol, text, True] = None
        return at(symbol)


def ask(outer: Outer, asked: Sequence[tuple[str, str, bool]]) -> None:
    """Ask for what was noted, in that order."""
    for symbol, text, defines in asked:
        if defines:
            outer.define(symbol, text)
        else:
            outer.need(symbol, text)
