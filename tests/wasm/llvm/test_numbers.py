"""Raw integers and doubles against plain arithmetic, the operands that LLVM has no answer for included."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wasm.llvm.operations import run

WIDTHS = {"word": 32, "wide": 64}


def signed(number: int, width: int) -> int:
    """The bits as a signed number."""
    number &= (1 << width) - 1
    return number - (1 << width) if number >> (width - 1) else number


def quotient(a: int, b: int) -> int:
    """Towards 0; 0 by 0."""
    return 0 if b == 0 else math.trunc(Fraction(a, b))


def remainder(a: int, b: int) -> int:
    """With the sign of what is divided; 0 by 0."""
    return 0 if b == 0 else a - b * quotient(a, b)


Reference = Callable[[int, int, int], int]
UNSIGNED: dict[str, Reference] = {
    "add": lambda a, b, width: a + b,
    "sub": lambda a, b, width: a - b,
    "mul": lambda a, b, width: a * b,
    "div": lambda a, b, width: quotient(a, b),
    "rem": lambda a, b, width: remainder(a, b),
    "sdiv": lambda a, b, width: quotient(signed(a, width), signed(b, width)),
    "srem": lambda a, b, width: remainder(signed(a, width), signed(b, width)),
    "and": lambda a, b, width: a & b,
    "or": lambda a, b, width: a | b,
    "xor": lambda a, b, width: a ^ b,
    "shl": lambda a, b, width: a << b % width,
    "shr": lambda a, b, width: a >> b % width,
    "sar": lambda a, b, width: signed(a, width) >> b % width,
    "eq": lambda a, b, width: a == b,
    "ne": lambda a, b, width: a != b,
    "lt": lambda a, b, width: a < b,
    "le": lambda a, b, width: a <= b,
    "gt": lambda a, b, width: a > b,
    "ge": lambda a, b, width: a >= b,
    "slt": lambda a, b, width: signed(a, width) < signed(b, width),
    "sle": lambda a, b, width: signed(a, width) <= signed(b, width),
    "sgt": lambda a, b, width: signed(a, width) > signed(b, width),
    "sge": lambda a, b, width: signed(a, width) >= signed(b, width),
}
ONE: dict[str, Callable[[int, int], int]] = {
    "clz": lambda a, width: width - a.bit_length(),
    "ctz": lambda a, width: width if a == 0 else (a & -a).bit_length() - 1,
    "popcount": lambda a, width: a.bit_count(),
}


def numbers(width: int) -> st.SearchStrategy[int]:
    """Unsigned numbers of so many bits, the odd ones often."""
    top = 1 << width
    return st.sampled_from(
        [0, 1, 2, top - 1, top - 2, top // 2, top // 2 - 1, width, width - 1]
    ) | st.integers(0, top - 1)


@pytest.mark.parametrize("name", UNSIGNED)
@pytest.mark.parametrize("kind", WIDTHS)
@given(st.data())
@settings(max_examples=60, deadline=None)
def test_two_integers(kind: str, name: str, data: st.DataObject) -> None:
    width = WIDTHS[kind]
    a, b = data.draw(numbers(width)), data.draw(numbers(width))
    result = run(f"{kind}.{name}", signed(a, width), signed(b, width))
    assert isinstance(result, int)
    assert result % (1 << width) == UNSIGNED[name](a, b, width) % (1 << width)


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("kind", WIDTHS)
@given(st.data())
@settings(max_examples=60, deadline=None)
def test_one_integer(kind: str, name: str, data: st.DataObject) -> None:
    width = WIDTHS[kind]
    a = data.draw(numbers(width))
    assert run(f"{kind}.{name}", signed(a, width)) == ONE[name](a, width)


def bits(number: float) -> int:
    """A double's bits; every NaN is one."""
    found: int = struct.unpack("<q", struct.pack("<d", number))[0]
    return found if number == number else 1


FLOAT_ONE: dict[str, Callable[[float], float]] = {
    "neg": lambda a: -a,
    "abs": abs,
    "floor": lambda a: float(math.copysign(math.floor(a), a)),
    "ceil": lambda a: float(math.copysign(math.ceil(a), a)),
    "trunc": lambda a: float(math.copysign(math.trunc(a), a)),
    "nearest": lambda a: float(math.copysign(round(a), a)),
}
FINITE = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0, 0.5, 1.5, -0.5, 2.5])


@pytest.mark.parametrize("name", FLOAT_ONE)
@given(FINITE)
@settings(max_examples=60, deadline=None)
def test_one_double(name: str, a: float) -> None:
    assert bits(float(run(f"float.{name}", a))) == bits(FLOAT_ONE[name](a))


@given(st.floats(), st.floats())
@settings(max_examples=200, deadline=None)
def test_two_doubles(a: float, b: float) -> None:
    assert bits(float(run("float.add", a, b))) == bits(a + b)
    assert bits(float(run("float.sub", a, b))) == bits(a - b)
    assert bits(float(run("float.mul", a, b))) == bits(a * b)
    if b:
        assert bits(float(run("float.div", a, b))) == bits(a / b)
    assert bits(float(run("float.copysign", a, b))) == bits(math.copysign(a, b))
    compared = [run(f"float.{name}", a, b) for name in ("lt", "le", "gt", "ge", "eq", "ne")]
    assert compared == [a < b, a <= b, a > b, a >= b, a == b, a != b]


@given(st.floats(min_value=0))
@settings(deadline=None)
def test_roots(a: float) -> None:
    assert run("float.sqrt", a) == math.sqrt(a)


@pytest.mark.parametrize(
    ("a", "expected"),
    [
        (math.nan, 0),
        (math.inf, (1 << 63) - 1),
        (-math.inf, -(1 << 63)),
        (1e300, (1 << 63) - 1),
        (-2.9, -2),
        (2.0**62, 1 << 62),
    ],
)
def test_a_double_to_an_integer_saturates(a: float, expected: int) -> None:
    assert run("float.to_wide", a) == expected


def test_division_by_zero_of_doubles_gives_infinity() -> None:
    assert run("float.div", 1.0, 0.0) == math.inf
    assert run("float.div", -1.0, 0.0) == -math.inf


def test_conversions() -> None:
    assert run("word.from_wide", (5 << 32) + 7) == 7
    assert run("wide.from_word", -1) == 0xFFFFFFFF
    assert run("wide.from_word_signed", -1) == -1
    assert run("word.from_bool", 1) == 1
    assert run("float.from_wide", -3) == -3.0
    assert run("float.bits", -0.0) == -(1 << 63)
    assert run("float.from_bits", 0x4000000000000000) == 2.0
    assert run("bool.not", 0) == 1
