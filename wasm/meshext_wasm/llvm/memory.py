"""Linear memory, the heap's words, the roots."""

from __future__ import annotations

from meshext_wasm.llvm.names import at
from meshext_wasm.llvm.numbers import Emit
from meshext_wasm.llvm.outer import HELPER
from meshext_wasm.llvm.writer import Writer
from meshext_wasm.tree.types import Rep

W, D, B, N = Rep.WORD, Rep.WIDE, Rep.BOOL, Rep.NOTHING


def narrow_load(bits: int) -> Emit:
    """Fewer bits than a WORD has, the others 0."""

    def emit(writer: Writer, address: str) -> str:
        return writer.let(f"zext i{bits} {writer.load(f'i{bits}', address)} to i32")

    return emit


def narrow_store(bits: int) -> Emit:
    """The lowest bits of a WORD."""

    def emit(writer: Writer, address: str, value: str) -> str:
        writer.store(f"i{bits}", writer.let(f"trunc i32 {value} to i{bits}"), address)
        return ""

    return emit


def load(kind: str) -> Emit:
    """As many bytes as the type has."""
    return lambda writer, address: writer.load(kind, address)


def store(kind: str) -> Emit:
    """As many bytes as the type has."""

    def emit(writer: Writer, address: str, value: str) -> str:
        writer.store(kind, value, address)
        return ""

    return emit


def copy(writer: Writer, to: str, source: str, count: str) -> str:
    """Bytes that may overlap."""
    arguments = [
        ("ptr", writer.pointer(to)),
        ("ptr", writer.pointer(source)),
        ("i32", count),
        ("i1", "false"),
    ]
    return writer.built_in("llvm.memmove.p0.p0.i32", "void", arguments)


def fill(writer: Writer, to: str, byte: str, count: str) -> str:
    """The same byte many times."""
    value = writer.let(f"trunc i32 {byte} to i8")
    arguments = [("ptr", writer.pointer(to)), ("i8", value), ("i32", count), ("i1", "false")]
    return writer.built_in("llvm.memset.p0.i32", "void", arguments)


def equal(writer: Writer, a: str, b: str, count: str) -> str:
    """Whether bytes are the same."""
    return writer.call(f"{HELPER}equal", B, [W, W, W], [a, b, count])


def pages(writer: Writer) -> str:
    """The memory's size."""
    return writer.built_in("llvm.wasm.memory.size.i32", "i32", [("i32", "0")])


def grow(writer: Writer, more: str) -> str:
    """More pages."""
    return writer.built_in("llvm.wasm.memory.grow.i32", "i32", [("i32", "0"), ("i32", more)])


def linked(symbol: str) -> Emit:
    """An address that the linker knows."""

    def emit(writer: Writer) -> str:
        writer.outer.datum(symbol)
        return writer.let(f"ptrtoint ptr {at(symbol)} to i32")

    return emit


def reading(word: str, kind: str = "i32") -> Emit:
    """A word of the run-time."""
    return lambda writer: writer.read(word, kind)


def writing(word: str, kind: str = "i32") -> Emit:
    """Change a word of the run-time."""

    def emit(writer: Writer, value: str) -> str:
        writer.write(word, value, kind)
        return ""

    return emit


MEMORY: dict[str, Emit] = {
    "memory.load8": narrow_load(8),
    "memory.load16": narrow_load(16),
    "memory.load32": load("i32"),
    "memory.load64": load("i64"),
    "memory.load_float": load("double"),
    "memory.store8": narrow_store(8),
    "memory.store16": narrow_store(16),
    "memory.store32": store("i32"),
    "memory.store64": store("i64"),
    "memory.store_float": store("double"),
    "memory.copy": copy,
    "memory.fill": fill,
    "memory.equal": equal,
    "memory.pages": pages,
    "memory.grow": grow,
    "heap.base": linked("__heap_base"),
    "heap.top": reading("top"),
    "heap.set_top": writing("top"),
    "heap.limit": reading("limit"),
    "heap.set_limit": writing("limit"),
    "heap.mark": reading("mark"),
    "heap.set_mark": writing("mark"),
    "heap.goal": reading("goal"),
    "heap.set_goal": writing("goal"),
    "heap.full": reading("full"),
    "heap.set_full": writing("full"),
    "heap.dirty": reading("dirty"),
    "heap.set_dirty": writing("dirty"),
    "roots.start": linked("__roots_start"),
    "roots.end": linked("__roots_end"),
    "budget.set": writing("budget", "i64"),
    "budget.left": reading("budget", "i64"),
}
