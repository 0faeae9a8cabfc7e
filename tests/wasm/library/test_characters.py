"""Case, kinds of characters and repr of the run-time library against this interpreter's."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshext_wasm.library.builtins import (
    characters,
    text_case,
    text_form,
    text_repr,
    text_split,
    text_strip,
    text_tests,
)
from tests.wasm.library.same import assert_same
from tests.wasm.library.unicode_data import TARGET, generated

CASES = "upper lower casefold swapcase capitalize title".split()
KINDS = (
    "isalpha isalnum isdecimal isdigit isnumeric isspace isascii isprintable islower isupper istitle "
    "isidentifier".split()
)
WORDS = st.text(st.sampled_from("aB1 ΣσΑἈßǅŉİı'\u0345\u00ad.\u2168é_²"), max_size=8)
LINES = st.text(st.sampled_from("ab \t\n\r\x0b\x1c\x85\u2028\u2003\xa0"), max_size=12)
PARTS = st.sampled_from(["a", "ab", " ", "é", "", "aa", "\r\n"])


@pytest.mark.slow
def test_the_tables_are_those_of_this_interpreter() -> None:
    assert TARGET.read_text("utf-8") == generated()


def test_spaces_and_line_ends() -> None:
    for point in [*range(0x100), *range(0x1600, 0x3100, 3), 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000]:
        assert characters.is_space(point) is chr(point).isspace()
        assert characters.is_line_end(point) is (len(f"a{chr(point)}b".splitlines()) == 2)


@pytest.mark.parametrize("name", CASES + KINDS)
def test_every_assigned_kind_of_character(name: str) -> None:
    ours = getattr(text_case if name in CASES else text_tests, name)
    for point in [*range(0, 0x600, 29), *range(0x600, sys.maxunicode, 40009)]:
        assert ours(chr(point)) == getattr(chr(point), name)()


@pytest.mark.parametrize("name", CASES + KINDS)
@settings(max_examples=25)
@given(text=WORDS)
def test_words(name: str, text: str) -> None:
    ours = getattr(text_case if name in CASES else text_tests, name)
    assert ours(text) == getattr(text, name)()


@given(st.text(max_size=8) | st.text("'\"\\\n\t\x7f\x80é\u200b\ud800😀", max_size=8))
def test_repr(text: str) -> None:
    assert text_repr.repr_of_text(text) == repr(text)
    assert text_repr.ascii_repr(text) == ascii(text)


@given(LINES, st.none() | PARTS, st.integers(-1, 3), st.booleans())
def test_split(text: str, part: str | None, limit: int, keep: bool) -> None:
    assert_same(text_split.split, str.split, text, part, limit)
    assert_same(text_split.rsplit, str.rsplit, text, part, limit)
    assert_same(text_split.splitlines, str.splitlines, text, keep)
    assert_same(text_split.partition, str.partition, text, part or "")
    assert_same(text_split.rpartition, str.rpartition, text, part or "")


@given(LINES, st.none() | PARTS)
def test_strip(text: str, part: str | None) -> None:
    assert text_strip.strip(text, part) == text.strip(part)
    assert text_strip.lstrip(text, part) == text.lstrip(part)
    assert text_strip.rstrip(text, part) == text.rstrip(part)


@given(st.text("+-0a\t\né", max_size=6), st.integers(-1, 12), st.sampled_from(["é", "*", "", "ab"]))
def test_width(text: str, width: int, fill: str) -> None:
    for name in "ljust rjust center".split():
        assert_same(getattr(text_form, name), getattr(str, name), text, width, fill)
    assert text_form.zfill(text, width) == text.zfill(width)
    assert text_form.expandtabs(text, width) == text.expandtabs(width)


@given(st.text("abcé", max_size=6))
def test_translate(text: str) -> None:
    ours, real = text_form.maketrans_of_texts("ab", "éx", "c"), str.maketrans("ab", "éx", "c")
    assert ours == real
    assert text_form.translate(text, ours) == text.translate(real)
    names: dict[str, int | str | None] = {"a": "long", "b": None, "é": 65}
    assert text_form.translate(text, text_form.maketrans_of_names(names)) == text.translate(
        str.maketrans(names)
    )
    assert_same(text_form.maketrans_of_texts, str.maketrans, "a", "")
    assert_same(text_form.maketrans_of_names, str.maketrans, {"ab": 1})
