"""Ints to text and back, against CPython's."""

from hypothesis import example, given
from hypothesis import strategies as st

from meshext_wasm.library.builtins import int_text
from meshext_wasm.library.raw import word
from tests.wasm.library.comparing import outcome
from tests.wasm.library.numbers import INTS

BASES = st.integers(2, 36)
PIECES = st.sampled_from(
    r"0 1 7 9 a F z _ __ + - 0x 0O 0b x . ' 00".split()
    + " \t \x1c \xa0 \u0663 \u0967 \U0001d7d8 \u3000 \xe9 \ud800".split(" ")
    + [" "]
)
SEPARATES = outcome(int, "\x1c\u0663") == (int, 3)
"""Whether this CPython takes separators of files for blanks beside other digits: 3.11.2 does not."""
TEXTS = st.lists(PIECES, max_size=8).map("".join).filter(lambda text: SEPARATES or "\x1c" not in text)


@given(INTS)
def test_decimal(number: int) -> None:
    assert int_text.repr_int(number) == repr(number)


@given(INTS, BASES)
def test_every_base_comes_back(number: int, base: int) -> None:
    text = int_text.to_base(number, word(base))
    assert int(text, base) == number
    assert int_text.from_text(text, base) == number


@given(TEXTS, st.sampled_from([10, 16, 0, 2, 8, 36, 1, 37, -1]))
@example("0_0", 0)
@example("0x_1", 16)
@example("0x_1", 10)
@example("x" * 300, 10)
@example("0" * 5000, 10)
@example("1" * 4301, 10)
@example("1" * 4301, 36)
@example("1" * 2000, 16)
@example("0" * 40000 + "1", 2)
def test_parsing(text: str, base: int) -> None:
    assert outcome(int_text.from_text, text, base) == outcome(int, text, base)


def test_the_longest_text() -> None:
    number = (1 << 16000) + 1
    assert outcome(int_text.to_decimal, number) == outcome(str, number)
    assert int_text.to_base(number, word(16)) == f"{number:x}"
    assert outcome(int_text.from_text, "f" * 4097, 16) == (
        OverflowError,
        "integer of more than 16384 bits",
    )
