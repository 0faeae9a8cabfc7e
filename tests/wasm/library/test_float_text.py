"""Floats to text and back, against CPython's."""

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from meshext_wasm.library.builtins import float_parsing, float_text
from meshext_wasm.library.builtins.doubles import exponent_of, mantissa_of
from meshext_wasm.library.raw import double
from tests.wasm.library.comparing import outcome
from tests.wasm.library.numbers import FLOATS

FINITE = FLOATS.filter(lambda number: number - number == 0.0)
WORDS = "0 1 7 12345678901234567890 0000000 . e E e-3 e+300 1e400 _ __ + - inf nan Infinity NaN"
PIECES = st.sampled_from([*WORDS.split(), " ", "\t", "\xa0", "\u0663", "\xe9"])
POWERS = st.integers(1, 2046).map(lambda exponent: 2.0 ** (exponent - 1023))
NEAR_NUMBERS = FLOATS.map(repr) | FINITE.map(lambda number: f"{number:.40e}")


@settings(max_examples=150)
@given(FLOATS)
@example(2.0**-44)
@example(5e-324)
@example(1.7976931348623157e308)
@example(9007199254740993.0)
@example(1e23)
@example(1e16)
@example(123456789012345680.0)
def test_repr(number: float) -> None:
    assert float_text.repr_float(double(number)) == repr(number)


@given(POWERS)
def test_repr_of_powers_of_two(number: float) -> None:
    """The gap below is half of that above."""
    assert float_text.repr_float(double(number)) == repr(number)


@given(FINITE, st.integers(0, 30))
@example(1.1e-300, 400)
@example(0.5, 0)
@example(2.5, 0)
@example(5e-324, 1200)
@example(9.5, 0)
@example(99.95, 1)
def test_fixed_exponent_and_general(number: float, places: int) -> None:
    magnitude = double(abs(number))
    assert float_text.fixed_text(magnitude, places, False) == f"{magnitude:.{places}f}"
    assert float_text.exponent_text(magnitude, places, "e", False) == f"{magnitude:.{places}e}"
    assert float_text.general_text(magnitude, places, "E", False, False) == f"{magnitude:.{places}G}"
    assert float_text.general_text(magnitude, places, "e", False, True) == f"{magnitude:.{places}}"


@settings(max_examples=120)
@given(
    FLOATS.map(repr) | FINITE.map(lambda number: f"{number:.40e}") | st.lists(PIECES, max_size=6).map("".join)
)
@example("1" * 5000)
@example("0." + "0" * 400 + "1" * 900 + "e401")
@example("2.4703282292062327208e-324")
@example("1e999999999999")
@example("9007199254740993." + "0" * 900 + "1")
@example("9007199254740993." + "0" * 900)
@example("1_0.0_1e1_0")
def test_parsing(text: str) -> None:
    assert repr(outcome(float_parsing.parse_float, text)) == repr(outcome(float, text))


@given(FINITE, st.integers(-3, 1))
def test_parsing_between_two_floats(number: float, last: int) -> None:
    """Decimals on the border between two doubles, and a bit beside it."""
    assume(abs(number) > 1e-290)
    mantissa = mantissa_of(double(number)) * 2 + 1
    exponent = exponent_of(double(number)) - 1
    digits = mantissa * 2**exponent if exponent >= 0 else mantissa * 5**-exponent
    if exponent < -780:
        return
    text = f"{digits * 10 + last}e{min(exponent, 0) - 1}"
    assert outcome(float_parsing.parse_float, text) == outcome(float, text)
