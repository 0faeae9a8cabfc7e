"""Python's ints: fast ways for two small ones, the library for all else.

A small int `n` stands as `2n + 1`. Every fast way asks whether both are small, whether the result is, and
whether LLVM's operation means anything for these operands (it does not for a division by 0 or a shift by too
much); if not, the slow function decides, also what to raise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from meshext_wasm.llvm.names import FEWEST, TRUE, tagged
from meshext_wasm.llvm.writer import Writer
from meshext_wasm.tree.intrinsics import Operation
from meshext_wasm.tree.types import Rep


@dataclass(frozen=True, slots=True)
class Fast:
    """Whether the fast way may be gone, and what it gives; `gives` is written in a block of its own."""

    may: str
    gives: Callable[[], str]


def emit_int(writer: Writer, operation: Operation, operands: tuple[str, ...], error: str | None) -> str:
    """A fast way, a slow way, and what they give."""
    fast = WAYS[operation.name](writer, *operands)
    way, slow, done = writer.label("fast"), writer.label("slow"), writer.label("done")
    writer.branch(fast.may, way, slow, likely=True)
    writer.start(slow)
    takes = [Rep.VALUE] * len(operands)
    from_slow = writer.call(f"fn:{operation.slow}", Rep.VALUE, takes, operands, cold=True)
    writer.check_pending(error)
    if operation.gives is Rep.BOOL:
        from_slow = writer.let(f"icmp eq i64 {from_slow}, {TRUE}")
    came_slow = writer.block
    writer.jump(done)
    writer.start(way)
    from_fast = fast.gives()
    came_fast = writer.block
    writer.jump(done)
    writer.start(done)
    kind = "i1" if operation.gives is Rep.BOOL else "i64"
    return writer.let(f"phi {kind} [ {from_slow}, %{came_slow} ], [ {from_fast}, %{came_fast} ]")


def both_small(writer: Writer, a: str, b: str) -> str:
    """Whether both are tagged."""
    both = writer.let(f"and i64 {a}, {b}")
    return writer.let(f"trunc i64 {both} to i1")


def also(writer: Writer, first: str, *others: str) -> str:
    """All of these tests."""
    for each in others:
        first = writer.let(f"and i1 {first}, {each}")
    return first


def checked(name: str) -> Callable[[Writer, str, str], tuple[str, str]]:
    """An operation of LLVM that says whether it overflowed: result, and whether it fits."""

    def emit(writer: Writer, a: str, b: str) -> tuple[str, str]:
        both = writer.built_in(f"llvm.{name}.with.overflow.i64", "{ i64, i1 }", [("i64", a), ("i64", b)])
        over = writer.let(f"extractvalue {{ i64, i1 }} {both}, 1")
        return writer.let(f"extractvalue {{ i64, i1 }} {both}, 0"), writer.let(f"xor i1 {over}, true")

    return emit


add_checked, sub_checked = checked("sadd"), checked("ssub")


def number(writer: Writer, value: str) -> str:
    """The number of a small int."""
    return writer.let(f"ashr i64 {value}, 1")


def add(writer: Writer, a: str, b: str) -> Fast:
    """(2m) + (2n + 1)."""
    result, fits = add_checked(writer, writer.let(f"xor i64 {a}, 1"), b)
    return Fast(also(writer, both_small(writer, a, b), fits), lambda: result)


def sub(writer: Writer, a: str, b: str) -> Fast:
    """(2m + 1) - (2n)."""
    result, fits = sub_checked(writer, a, writer.let(f"xor i64 {b}, 1"))
    return Fast(also(writer, both_small(writer, a, b), fits), lambda: result)


def bits_left(writer: Writer, number_: str) -> str:
    """How many bits at the top only repeat the sign."""
    folded = writer.let(f"xor i64 {number_}, {writer.let(f'ashr i64 {number_}, 63')}")
    return writer.built_in("llvm.ctlz.i64", "i64", [("i64", folded), ("i1", "false")])


def mul(writer: Writer, a: str, b: str) -> Fast:
    """Fast where the bits of both together are certain to fit; a full product is dear in WebAssembly."""
    m, n = number(writer, a), number(writer, b)
    spare = writer.let(f"add i64 {bits_left(writer, m)}, {bits_left(writer, n)}")
    fits = writer.let(f"icmp uge i64 {spare}, 67")

    def gives() -> str:
        return tag(writer, writer.let(f"mul i64 {m}, {n}"))

    return Fast(also(writer, both_small(writer, a, b), fits), gives)


def tag(writer: Writer, number_: str) -> str:
    """The VALUE of a number that fits."""
    return writer.let(f"or i64 {writer.let(f'shl i64 {number_}, 1')}, 1")


def divided(remainder: bool) -> Callable[[Writer, str, str], Fast]:
    """`//` and `%`: rounded down, where LLVM rounds towards 0. Not by 0 nor -1 (whose result may not fit)."""

    def way(writer: Writer, a: str, b: str) -> Fast:
        m, n = number(writer, a), number(writer, b)
        may = writer.let(f"icmp ugt i64 {writer.let(f'add i64 {n}, 1')}, 1")

        def gives() -> str:
            rest = writer.let(f"srem i64 {m}, {n}")
            uneven = writer.let(f"icmp ne i64 {rest}, 0")
            differ = writer.let(f"icmp slt i64 {writer.let(f'xor i64 {rest}, {n}')}, 0")
            down = also(writer, uneven, differ)
            if remainder:
                fix = writer.let(f"select i1 {down}, i64 {n}, i64 0")
                return tag(writer, writer.let(f"add i64 {rest}, {fix}"))
            quotient = writer.let(f"sdiv i64 {m}, {n}")
            return tag(writer, writer.let(f"add i64 {quotient}, {writer.let(f'sext i1 {down} to i64')}"))

        return Fast(also(writer, both_small(writer, a, b), may), gives)

    return way


def bitwise(operation: str) -> Callable[[Writer, str, str], Fast]:
    """`&`, `|`, `^` bit by bit, the tag put right."""

    def way(writer: Writer, a: str, b: str) -> Fast:
        result = writer.let(f"{operation} i64 {a}, {b}")
        return Fast(both_small(writer, a, b), lambda: writer.let(f"or i64 {result}, 1"))

    return way


def left_shift(writer: Writer, a: str, b: str) -> Fast:
    """Fast where shifting back gives the same number."""
    n = number(writer, b)
    amount = writer.let(f"and i64 {n}, 63")
    bare = writer.let(f"xor i64 {a}, 1")
    shifted = writer.let(f"shl i64 {bare}, {amount}")
    back = writer.let(f"ashr i64 {shifted}, {amount}")
    same = writer.let(f"icmp eq i64 {back}, {bare}")
    small = writer.let(f"icmp ult i64 {n}, 64")
    may = also(writer, both_small(writer, a, b), same, small)
    return Fast(may, lambda: writer.let(f"or i64 {shifted}, 1"))


def right_shift(writer: Writer, a: str, b: str) -> Fast:
    """Fast by less than 64."""
    n = number(writer, b)
    small = writer.let(f"icmp ult i64 {n}, 64")
    amount = writer.let(f"and i64 {n}, 63")
    result = writer.let(f"ashr i64 {a}, {amount}")
    may = also(writer, both_small(writer, a, b), small)
    return Fast(may, lambda: writer.let(f"or i64 {result}, 1"))


def compared(how: str) -> Callable[[Writer, str, str], Fast]:
    """Two small ints compare as their values do."""

    def way(writer: Writer, a: str, b: str) -> Fast:
        result = writer.let(f"icmp {how} i64 {a}, {b}")
        return Fast(both_small(writer, a, b), lambda: result)

    return way


def neg(writer: Writer, a: str) -> Fast:
    """All but the least, whose negation does not fit."""
    small = writer.let(f"trunc i64 {a} to i1")
    least = writer.let(f"icmp ne i64 {a}, {tagged(FEWEST)}")
    return Fast(also(writer, small, least), lambda: writer.let(f"sub i64 2, {a}"))


def invert(writer: Writer, a: str) -> Fast:
    """Every bit but the tag."""
    return Fast(writer.let(f"trunc i64 {a} to i1"), lambda: writer.let(f"xor i64 {a}, -2"))


WAYS: dict[str, Callable[..., Fast]] = {
    "int.add": add,
    "int.sub": sub,
    "int.mul": mul,
    "int.floordiv": divided(remainder=False),
    "int.mod": divided(remainder=True),
    "int.and": bitwise("and"),
    "int.or": bitwise("or"),
    "int.xor": bitwise("xor"),
    "int.lshift": left_shift,
    "int.rshift": right_shift,
    **{f"int.{each}": compared(f"s{each}") for each in ("lt", "le", "gt", "ge")},
    "int.eq": compared("eq"),
    "int.ne": compared("ne"),
    "int.neg": neg,
    "int.invert": invert,
}
