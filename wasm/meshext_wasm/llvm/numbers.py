"""Raw machine integers and doubles. Nothing here has operands for which LLVM's operation means nothing."""

from __future__ import annotations

from collections.abc import Callable

from meshext_wasm.llvm.writer import Writer

Emit = Callable[..., str]
"""Writes an operation: the writer, then operands; what it gives."""


def plain(operation: str, kind: str) -> Emit:
    """One instruction of LLVM."""
    return lambda writer, a, b: writer.let(f"{operation} {kind} {a}, {b}")


def shift(operation: str, kind: str) -> Emit:
    """A shift by the amount modulo the width."""
    width = int(kind[1:])

    def emit(writer: Writer, a: str, b: str) -> str:
        return writer.let(f"{operation} {kind} {a}, {writer.let(f'and {kind} {b}, {width - 1}')}")

    return emit


def unsigned_division(operation: str, kind: str) -> Emit:
    """A division that gives 0 by 0."""

    def emit(writer: Writer, a: str, b: str) -> str:
        zero = writer.let(f"icmp eq {kind} {b}, 0")
        by = writer.let(f"select i1 {zero}, {kind} 1, {kind} {b}")
        result = writer.let(f"{operation} {kind} {a}, {by}")
        return writer.let(f"select i1 {zero}, {kind} 0, {kind} {result}")

    return emit


def signed_division(operation: str, kind: str) -> Emit:
    """A division that gives 0 by 0 and wraps by -1."""

    def emit(writer: Writer, a: str, b: str) -> str:
        low = writer.let(f"add {kind} {b}, 1")
        special = writer.let(f"icmp ult {kind} {low}, 2")
        by = writer.let(f"select i1 {special}, {kind} 1, {kind} {b}")
        result = writer.let(f"{operation} {kind} {a}, {by}")
        # By 0 or -1 it is the operand times that, or no remainder.
        other = writer.let(f"mul {kind} {a}, {b}") if operation == "sdiv" else "0"
        return writer.let(f"select i1 {special}, {kind} {other}, {kind} {result}")

    return emit


def integers(name: str, kind: str) -> dict[str, Emit]:
    """The operations of `word` or `wide`."""
    rows = {each: plain(each, kind) for each in ("add", "sub", "mul", "and", "or", "xor")}
    rows |= {"div": unsigned_division("udiv", kind), "rem": unsigned_division("urem", kind)}
    rows |= {"sdiv": signed_division("sdiv", kind), "srem": signed_division("srem", kind)}
    rows |= {"shl": shift("shl", kind), "shr": shift("lshr", kind), "sar": shift("ashr", kind)}
    rows |= {"eq": plain("icmp eq", kind), "ne": plain("icmp ne", kind)}
    for each in ("lt", "le", "gt", "ge"):
        rows |= {each: plain(f"icmp u{each}", kind), f"s{each}": plain(f"icmp s{each}", kind)}
    rows |= {"clz": counted("ctlz", kind), "ctz": counted("cttz", kind), "popcount": counted("ctpop", kind)}
    return {f"{name}.{each}": emit for each, emit in rows.items()}


def counted(operation: str, kind: str) -> Emit:
    """A count of bits; of 0 it is the width."""

    def emit(writer: Writer, a: str) -> str:
        flag = [] if operation == "ctpop" else [("i1", "false")]
        return writer.built_in(f"llvm.{operation}.{kind}", kind, [(kind, a), *flag])

    return emit


def double(name: str) -> Emit:
    """An intrinsic of LLVM on doubles."""

    def emit(writer: Writer, *operands: str) -> str:
        return writer.built_in(f"llvm.{name}.f64", "double", [("double", each) for each in operands])

    return emit


def to_wide(writer: Writer, a: str) -> str:
    """Towards 0; saturated, and 0 for NaN."""
    return writer.built_in("llvm.fptosi.sat.i64.f64", "i64", [("double", a)])


def converted(how: str) -> Emit:
    """A conversion of one operand: `operation FROM to TO`."""
    operation, source, target = how.split()
    return lambda writer, a: writer.let(f"{operation} {source} {a} to {target}")


FLOATS: dict[str, Emit] = {
    **{f"float.{each}": plain(f"f{each}", "double") for each in ("add", "sub", "mul", "div")},
    **{f"float.{each}": plain(f"fcmp o{each}", "double") for each in ("lt", "le", "gt", "ge", "eq")},
    "float.ne": plain("fcmp une", "double"),
    "float.neg": lambda writer, a: writer.let(f"fneg double {a}"),
    "float.abs": double("fabs"),
    "float.copysign": double("copysign"),
    **{f"float.{each}": double(each) for each in ("sqrt", "floor", "ceil", "trunc")},
    "float.nearest": double("roundeven"),
    "float.from_wide": converted("sitofp i64 double"),
    "float.to_wide": to_wide,
    "float.bits": converted("bitcast double i64"),
    "float.from_bits": converted("bitcast i64 double"),
}

CONVERSIONS: dict[str, Emit] = {
    "word.from_wide": converted("trunc i64 i32"),
    "wide.from_word": converted("zext i32 i64"),
    "wide.from_word_signed": converted("sext i32 i64"),
    "word.from_bool": converted("zext i1 i32"),
    "bool.not": lambda writer, a: writer.let(f"xor i1 {a}, true"),
}

NUMBERS: dict[str, Emit] = {**integers("word", "i32"), **integers("wide", "i64"), **FLOATS, **CONVERSIONS}
