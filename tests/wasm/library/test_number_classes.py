"""Methods and built-in functions of int, bool and float, against CPython's."""

import operator

from hypothesis import example, given
from hypothesis import strategies as st

from meshext_wasm.library.builtins import bool_class, float_class, int_bytes, int_class, number_functions
from tests.wasm.library.comparing import outcome
from tests.wasm.library.numbers import FLOATS, INTS

OTHERS = INTS | FLOATS | st.sampled_from(["1", None, b"1"])
ORDERINGS = {"eq": "equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}


def expected(name: str, number: float, other: object) -> object:
    return getattr(operator, name)(number, other) if isinstance(other, int | float) else NotImplemented


@given(INTS)
def test_int(number: int) -> None:
    assert int_class.hash_int(number) == hash(number)
    assert int_class.repr_of_int(number) == repr(number)
    assert int_class.bit_length(number) == number.bit_length()
    assert int_class.bit_count(number) == number.bit_count()
    assert outcome(int_class.absolute_int, number) == outcome(abs, number)
    assert number_functions.hex_of(number) == hex(number)
    assert number_functions.oct_of(number) == oct(number)
    assert number_functions.bin_of(number) == bin(number)
    assert bool_class.bool_of(number) is bool(number)


@given(FLOATS)
def test_float(number: float) -> None:
    if number == number:
        assert float_class.hash_float(number) == hash(number)
    assert float_class.repr_of_float(number) == repr(number)
    assert float_class.is_integer(number) == number.is_integer()
    assert outcome(float_class.as_integer_ratio, number) == outcome(lambda: number.as_integer_ratio())
    assert repr(number_functions.abs_of_float(number)) == repr(abs(number))


@given(INTS, OTHERS)
def test_int_compares(number: int, other: object) -> None:
    for name, prefix in ORDERINGS.items():
        expected = (
            getattr(operator, name)(number, other) if isinstance(other, int | float) else NotImplemented
        )
        assert getattr(int_class, f"{prefix}_int")(number, other) is expected


@given(FLOATS, OTHERS)
def test_float_compares(number: float, other: object) -> None:
    for name, prefix in ORDERINGS.items():
        expected = (
            getattr(operator, name)(number, other) if isinstance(other, int | float) else NotImplemented
        )
        assert getattr(float_class, f"{prefix}_float")(number, other) is expected


@given(INTS, st.integers(-1, 300), st.sampled_from(["big", "little", "x"]), st.booleans())
@example(-128, 1, "big", True)
@example(128, 1, "big", True)
@example(0, 0, "big", False)
@example(-1, 0, "big", True)
def test_to_bytes(number: int, length: int, order: str, signed: bool) -> None:
    ours = outcome(lambda: int_bytes.to_bytes(number, length, order, signed=signed))
    assert ours == outcome(lambda: number.to_bytes(length, order, signed=signed))  # type: ignore[arg-type]


@given(st.binary(max_size=70), st.sampled_from(["big", "little"]), st.booleans())
def test_from_bytes(data: bytes, order: str, signed: bool) -> None:
    ours = int_bytes.from_bytes(data, order, signed=signed)
    assert ours == int.from_bytes(data, order, signed=signed)  # type: ignore[arg-type]


@given(FLOATS, st.integers(-330, 330) | st.integers(-3, 20))
@example(2.675, 2)
@example(0.5, 0)
@example(1.5e308, -308)
@example(-0.4, 0)
@example(5e-324, 323)
def test_round_float(number: float, places: int) -> None:
    assert repr(outcome(number_functions.round_to_places, number, places)) == repr(
        outcome(round, number, places)
    )
    assert repr(outcome(number_functions.round_to_int, number)) == repr(outcome(round, number))


@given(INTS, st.integers(-700, 2) | st.integers(-30, 0))
@example(25, -1)
@example(-35, -1)
def test_round_int(number: int, places: int) -> None:
    assert outcome(number_functions.round_int, number, places) == outcome(round, number, places)


@given(st.text(max_size=5) | FLOATS.map(repr))
def test_bytes_as_numbers(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    assert outcome(int_class.int_of_bytes, data) == outcome(int, data)
    assert repr(outcome(float_class.float_of_bytes, data)) == repr(outcome(float, data))
