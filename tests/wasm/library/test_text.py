"""str of the run-time library against the real one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext_wasm.library.builtins import text_core, text_search
from tests.wasm.library.same import assert_same

TEXTS = st.text(st.sampled_from("ab \tà\xffπ𝄞\udc80\n"), max_size=12)
PARTS = st.text(st.sampled_from("abàπ"), max_size=3)
BOUNDS = st.none() | st.integers(-15, 15)


@given(TEXTS, TEXTS, st.integers(-2, 4))
def test_operators(left: str, right: str, times: int) -> None:
    assert text_core.add_text(left, right) == left + right
    assert text_core.multiply_text(left, times) == left * times
    assert text_core.equal_text(left, right) is (left == right)
    assert text_core.less_text(left, right) is (left < right)
    assert text_core.less_equal_text(left, right) is (left <= right)
    assert text_core.greater_text(left, right) is (left > right)
    assert text_core.greater_equal_text(left, right) is (left >= right)
    assert text_core.contains_text(left, right) is (right in left)
    assert list(text_core.iterate_text(left)) == list(left)
    assert text_core.length_of_text(left) == len(left)
    assert text_core.is_text_filled(left) is bool(left)


@given(TEXTS, st.lists(TEXTS, max_size=5))
def test_join(text: str, parts: list[str]) -> None:
    assert text_core.join(text, parts) == text.join(parts)


@given(TEXTS, BOUNDS, BOUNDS, BOUNDS)
def test_items_and_slices(text: str, start: int | None, stop: int | None, step: int | None) -> None:
    assert_same(text_core.slice_of_text, lambda text, *bounds: text[slice(*bounds)], text, start, stop, step)
    assert_same(text_core.item_of_text, lambda text, index: text[index], text, start or 0)


def test_hash_of_equal_texts_is_the_same() -> None:
    made = text_core.add_text("he", "llo")
    assert text_core.hash_of_text(made) == text_core.hash_of_text("hello") != text_core.hash_of_text("hellp")


@pytest.mark.parametrize("name", ["find", "rfind", "index", "rindex", "count", "startswith", "endswith"])
@given(text=TEXTS, part=PARTS, start=BOUNDS, stop=BOUNDS)
def test_search(name: str, text: str, part: str, start: int | None, stop: int | None) -> None:
    ours: Callable[..., object] = getattr(text_search, name)
    assert_same(ours, getattr(str, name), text, part, start, stop)


@given(TEXTS, PARTS, PARTS, st.integers(-1, 4))
def test_replace(text: str, old: str, new: str, count: int) -> None:
    assert text_search.replace(text, old, new, count) == text.replace(old, new, count)


@given(TEXTS, st.lists(PARTS, max_size=3))
def test_prefixes_and_suffixes(text: str, parts: list[str]) -> None:
    several = tuple(parts)
    assert text_search.startswith(text, several) is text.startswith(several)
    assert text_search.endswith(text, several) is text.endswith(several)
    for part in parts:
        assert text_search.removeprefix(text, part) == text.removeprefix(part)
        assert text_search.removesuffix(text, part) == text.removesuffix(part)


@pytest.mark.parametrize("item", [None, b"", 1.5])
def test_messages(item: object) -> None:
    assert_same(text_core.add_text, lambda text, other: text + other, "a", item)
    assert_same(text_core.contains_text, lambda text, part: part in text, "a", item)
    assert_same(text_core.join, str.join, "a", ["b", item])
    assert_same(text_core.item_of_text, lambda text, index: text[index], "a", item)


def test_characters() -> None:
    for text in ("", "ab", "a", "\U0001f600"):
        assert_same(text_core.ord_of, ord, text)
    for point in (-1, 0x110000, 65, 255, 256, 0x10FFFF):
        assert_same(text_core.chr_of, chr, point)
