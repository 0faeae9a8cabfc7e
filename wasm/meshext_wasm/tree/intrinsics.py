"""The operations that are no calls: what each takes, gives, and which library function is its slow way.

This table is the only place where an intrinsic is spelled; the frontend, the IR, the lowering and the
library's `raw` module follow it.
"""

from __future__ import annotations

from dataclasses import dataclass

from meshext_wasm.tree.types import Rep

V, B, F, W, D, N = Rep.VALUE, Rep.BOOL, Rep.FLOAT, Rep.WORD, Rep.WIDE, Rep.NOTHING


@dataclass(frozen=True, slots=True)
class Operation:
    """`slow` is the library function for what the fast path can not do; `raises` whether it can fail."""

    name: str
    takes: tuple[Rep, ...]
    gives: Rep
    slow: str = ""
    raises: bool = False


def of(name: str, *takes: Rep, gives: Rep, slow: str = "", raises: bool = False) -> Operation:
    """One row."""
    return Operation(name, takes, gives, slow, raises or bool(slow))


def int_rows() -> list[Operation]:
    """Python's ints (and bools): small ones here, the others in the library."""
    arithmetic = ("add", "sub", "mul", "floordiv", "mod", "and", "or", "xor", "lshift", "rshift")
    rows = [of(f"int.{each}", V, V, gives=V, slow=f"builtins.integers.{each}_slow") for each in arithmetic]
    rows += [
        of(f"int.{each}", V, V, gives=B, slow=f"builtins.integers.{each}_slow")
        for each in ("lt", "le", "gt", "ge", "eq", "ne")
    ]
    rows += [
        of(f"int.{each}", V, gives=V, slow=f"builtins.integers.{each}_slow") for each in ("neg", "invert")
    ]
    return rows


def float_rows() -> list[Operation]:
    """IEEE doubles; `div` knows no ZeroDivisionError, `to_wide` saturates and gives 0 for NaN."""
    rows = [of(f"float.{each}", F, F, gives=F) for each in ("add", "sub", "mul", "div", "copysign")]
    rows += [of(f"float.{each}", F, F, gives=B) for each in ("lt", "le", "gt", "ge", "eq", "ne")]
    rows += [
        of(f"float.{each}", F, gives=F)
        for each in ("neg", "abs", "sqrt", "floor", "ceil", "trunc", "nearest")
    ]
    return [
        *rows,
        of("float.from_wide", D, gives=F),
        of("float.to_wide", F, gives=D),
        of("float.bits", F, gives=D),
        of("float.from_bits", D, gives=F),
    ]


def raw_rows(kind: str, rep: Rep) -> list[Operation]:
    """Machine integers, two's complement, wrapping. `shr` is logical, `sar` keeps the sign; a shift's amount
    is taken modulo the width; `div` and `rem` are unsigned, `sdiv` and `srem` signed, by 0 they give 0."""
    two = ("add", "sub", "mul", "div", "rem", "sdiv", "srem", "and", "or", "xor", "shl", "shr", "sar")
    compare = ("eq", "ne", "lt", "le", "gt", "ge", "slt", "sle", "sgt", "sge")
    rows = [of(f"{kind}.{each}", rep, rep, gives=rep) for each in two]
    rows += [of(f"{kind}.{each}", rep, rep, gives=B) for each in compare]
    return rows + [of(f"{kind}.{each}", rep, gives=rep) for each in ("clz", "ctz", "popcount")]


def memory_rows() -> list[Operation]:
    """Linear memory."""
    return [
        *(of(f"memory.load{bits}", W, gives=W) for bits in (8, 16, 32)),
        of("memory.load64", W, gives=D),
        of("memory.load_float", W, gives=F),
        *(of(f"memory.store{bits}", W, W, gives=N) for bits in (8, 16, 32)),
        of("memory.store64", W, D, gives=N),
        of("memory.store_float", W, F, gives=N),
        of("memory.copy", W, W, W, gives=N),  # to, from, bytes; may overlap
        of("memory.fill", W, W, W, gives=N),  # to, byte, bytes
        of("memory.equal", W, W, W, gives=B),  # a, b, bytes
        of("memory.pages", gives=W),
        of("memory.grow", W, gives=W),  # pages more; the old number or 0xFFFFFFFF
        of("heap.base", gives=W),
        of("heap.top", gives=W),  # the next free byte
        of("heap.set_top", W, gives=N),
        of("heap.limit", gives=W),
        of("heap.set_limit", W, gives=N),  # allocating beyond calls builtins.memory.more
        of("heap.mark", gives=W),  # where the heap ended when the callback began
        of("heap.set_mark", W, gives=N),  # writing a slot of an object below it sets `dirty`
        of("heap.goal", gives=W),  # words that builtins.memory keeps
        of("heap.set_goal", W, gives=N),
        of("heap.full", gives=W),
        of("heap.set_full", W, gives=N),
        of("heap.dirty", gives=W),
        of("heap.set_dirty", W, gives=N),
        of("roots.start", gives=W),  # the slots of all globals, 8 bytes each
        of("roots.end", gives=W),
    ]


def object_rows() -> list[Operation]:
    """Values and what lies behind them."""
    return [
        of("value.is", V, V, gives=B),
        of("value.bits", V, gives=D),
        of("value.from_bits", D, gives=V),
        of("value.address", V, gives=W),
        of("value.at", W, gives=V),
        of("value.is_pointer", V, gives=B),
        of("value.open", V, gives=N),  # marks a container that nobody knows as one of narrower items
        of("value.is_open", V, gives=B),
        of("value.key", V, gives=N),  # marks a dict whose keys are text, whoever knows it
        of("value.is_keyed", V, gives=B),
        of("int.is_small", V, gives=B),
        of("int.small", V, gives=D),  # the number of a small int
        of("int.tag", D, gives=V),  # must fit 63 bits
        of("word.from_wide", D, gives=W),
        of("wide.from_word", W, gives=D),
        of("wide.from_word_signed", W, gives=D),
        of("word.from_bool", B, gives=W),
        of("class.of", V, gives=W),  # the descriptor of any value, immediate ones included
        of("class.descriptor", V, gives=W),  # that of a class value
        of("class.is_below", W, W, gives=B),  # descriptor, descriptor
        of("array.new", W, W, gives=V, raises=True),  # descriptor, slots; all None
        of("array.length", V, gives=W),
        of("array.get", V, W, gives=V),  # not checked
        of("array.set", V, W, V, gives=N),  # not checked
        of("blob.new", W, W, gives=V, raises=True),  # descriptor, bytes after the header; not cleared
        of("instance.new", W, gives=V, raises=True),  # descriptor; every slot unset
    ]


def guard_rows() -> list[Operation]:
    """Where failures and budgets end; for the glue and the library's own limits only."""
    return [
        of("guard.call", V, gives=V),  # calls a function value without parameters; never raises
        of("guard.taken", gives=V),  # what the last guard.call ended with: an exception, Exhausted, or None
        of("budget.set", D, gives=N),
        of("budget.left", gives=D),
        of("budget.charge", W, gives=N, raises=True),
        of("stack.reset", gives=N),
        of("trace.count", gives=W),
        of("trace.site", W, gives=W),  # address of {function: str, file: str, line: u32}, innermost first
    ]


OPERATIONS: dict[str, Operation] = {
    each.name: each
    for each in [
        *int_rows(),
        *float_rows(),
        *raw_rows("word", W),
        *raw_rows("wide", D),
        *memory_rows(),
        *object_rows(),
        *guard_rows(),
        of("bool.not", B, gives=B),
    ]
}
