"""The start of a module: the bodies of its Python modules that must run, in order.

The body of a library module does nothing but give its globals their values, so it runs only where something
that lives reads one of them; else every table of the library would be in every module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meshext_wasm.link.calls import far_call
from meshext_wasm.link.encoding import Signature
from meshext_wasm.link.layout import ROOTS, Layout
from meshext_wasm.link.liveness import Live, add_live, note_place
from meshext_wasm.link.objects import Code, ObjectFile, Symbol, SymbolKind
from meshext_wasm.link.symbols import Symbols

START = "rt:start"
"""The symbol of the function that runs the bodies."""
AFTER = "rt:after_body"
"""() -> i32: called after each; other than 0 ends the start."""
DROP, IF, EMPTY, RETURN, END = 0x1A, 0x04, 0x40, 0x0F, 0x0B


@dataclass(frozen=True, slots=True)
class Body:
    """A function that runs a module. `needed_for`: the symbols of its globals; None where it always runs."""

    symbol: str
    needed_for: frozenset[str] | None = None


def start_object() -> ObjectFile:
    """An object that defines START; its code comes when it is known what runs."""
    made = ObjectFile("the linker")
    made.functions.append(Code(Signature(b"", b""), b""))
    made.symbols.append(Symbol(SymbolKind.FUNCTION, START, 0, 0))
    return made


def add_bodies(symbols: Symbols, live: Live, bodies: Sequence[Body]) -> list[Code]:
    """Let the bodies live that must run; their code in order, and after it that of AFTER."""
    waiting, running = list(bodies), set[str]()
    while True:
        roots = {each.name.removeprefix(ROOTS) for _, each in live.segments if each.name.startswith(ROOTS)}
        found = [each for each in waiting if each.needed_for is None or each.needed_for & roots]
        if not found:
            break
        running |= {each.symbol for each in found}
        waiting = [each for each in waiting if each.symbol not in running]
        for each in found:
            add_function(symbols, live, each.symbol)
    kept = [add_function(symbols, live, each.symbol) for each in bodies if each.symbol in running]
    after = add_function(symbols, live, AFTER) if kept else None
    return [each for each in [*kept, after] if each is not None]


def add_function(symbols: Symbols, live: Live, symbol: str) -> Code | None:
    """A function by its symbol."""
    found = symbols.named(symbol)
    if found is None or found[1].kind is not SymbolKind.FUNCTION:
        symbols.problems.append(f"{symbol!r}, to be run at the start, is no function of any object")
        return None
    holder, definition = found
    code = holder.functions[definition.index - len(holder.imports)]
    live.names.setdefault(id(code), symbol)
    add_live(symbols, live, holder, code)
    note_place(live, code)
    return code


def fill_start(live: Live, layout: Layout, running: Sequence[Code]) -> None:
    """Write the code of START where it lives: call each body, and leave when one failed."""
    for holder, code in live.functions:
        if holder.symbols[0].name == START and holder.functions[0] is code:
            out = bytearray([0])
            for body in running[:-1]:
                out += called(layout, body) + bytes([DROP] * len(body.signature.results))
                out += called(layout, running[-1])
                out += bytes([IF, EMPTY, RETURN, END])
            code.body = bytes([*out, END])


def called(layout: Layout, code: Code) -> bytes:
    """A call of it: through the table, since it runs but once."""
    return far_call(layout.table[id(code)], layout.types[code.signature])
