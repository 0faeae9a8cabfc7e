"""The emulation of raw numbers, memory and objects."""

import ctypes
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext_wasm.library import raw
from meshext_wasm.library.raw import array, double, wide, word
from meshext_wasm.tree.intrinsics import OPERATIONS

OPERATORS = {"add", "sub", "mul", "div", "rem", "and", "or", "xor", "shl", "shr"}
OPERATORS |= {"eq", "ne", "lt", "le", "gt", "ge", "neg"}
WORDS = st.integers(0, 2**32 - 1)
WIDES = st.integers(0, 2**64 - 1)


def spelled(name: str) -> str:
    return name.replace("memory.load", "load").replace("memory.store", "store").replace(".", "_")


def test_every_operation_has_a_function_or_an_operator() -> None:
    kinds = ("word", "wide", "float")
    missing = [
        name
        for name in OPERATIONS
        if not hasattr(raw, spelled(name))
        and not (name.partition(".")[0] in kinds and name.partition(".")[2] in OPERATORS)
        and not (name.startswith("int.") and OPERATIONS[name].slow)
        and name not in ("word.from_wide", "wide.from_word", "bool.not")
    ]
    assert missing == []


@given(WORDS, WORDS)
def test_words_wrap_as_the_c_type_does(left: int, right: int) -> None:
    a, b = word(left), word(right)
    assert (int(a + b), int(a - b), int(a * b)) == tuple(
        ctypes.c_uint32(each).value for each in (left + right, left - right, left * right)
    )
    assert int(a >> b) == left >> right % 32
    assert raw.word_sar(a, b).signed() == ctypes.c_int32(left).value >> right % 32
    assert raw.word_slt(a, b) == (ctypes.c_int32(left).value < ctypes.c_int32(right).value)


@given(WIDES, WIDES)
def test_signed_division_goes_towards_zero(left: int, right: int) -> None:
    a, b = ctypes.c_int64(left).value, ctypes.c_int64(right).value
    expected = 0 if b == 0 else abs(a) // abs(b) * (-1 if (a < 0) != (b < 0) else 1)
    assert raw.wide_sdiv(wide(left), wide(right)) == wide(expected)
    assert raw.wide_srem(wide(left), wide(right)) == wide(a - b * expected if b else 0)


def test_widths_do_not_mix() -> None:
    with pytest.raises(TypeError, match="wide with word: convert one of them"):
        wide(1) + word(1)


@given(st.one_of(st.text(), st.binary(), st.floats(allow_nan=False), st.integers(-(2**200), 2**200)))
def test_values_come_back_from_their_bits(value: object) -> None:
    back: object = raw.value_from_bits(raw.value_bits(value))
    assert (type(back), back) == (type(value), value)


def test_layout_of_a_str() -> None:
    address = raw.value_address("h\xe9")
    assert (
        bytes(raw.EMULATION.memory[address + 8 : address + 26]) == struct.pack("<IIII", 2, 0, 0, 0) + b"h\xe9"
    )
    assert raw.load32(address) == raw.class_descriptor(str)


def test_an_array_becomes_a_tuple() -> None:
    items: array[str] = raw.array_new(raw.class_descriptor(tuple), 2)
    raw.array_set(items, 0, "a")
    raw.array_set(items, 1, "b")
    pair: tuple[str, str] = raw.value_at(raw.value_address(items))
    assert pair == ("a", "b")


def test_doubles_divide_by_zero_and_saturate() -> None:
    assert double(-1.0) / 0.0 == -math.inf
    assert raw.float_to_wide(double(1e300)) == wide(2**63 - 1)
    assert raw.float_to_wide(double(math.nan)) == 0
    assert raw.float_bits(raw.float_nearest(double(-0.4))) == raw.float_bits(double(-0.0))
