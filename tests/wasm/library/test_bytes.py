"""bytes, encoding and decoding of the run-time library against the real ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext_wasm.library.builtins import (
    bytes_core,
    bytes_form,
    bytes_search,
    bytes_split,
    decoding,
    encoding,
)
from tests.wasm.library.same import assert_same

DATA = st.lists(st.sampled_from(b"ab \tA0-\x80\xff\n\r"), max_size=12).map(bytes)
PARTS = st.lists(st.sampled_from(b"ab\x80"), max_size=2).map(bytes)
BOUNDS = st.none() | st.integers(-15, 15)


@given(DATA, DATA, st.integers(-1, 3))
def test_operators(left: bytes, right: bytes, times: int) -> None:
    assert bytes_core.add_bytes(left, right) == left + right
    assert bytes_core.multiply_bytes(left, times) == left * times
    assert bytes_core.equal_bytes(left, right) is (left == right)
    assert bytes_core.less_bytes(left, right) is (left < right)
    assert bytes_core.less_equal_bytes(left, right) is (left <= right)
    assert bytes_core.greater_bytes(left, right) is (left > right)
    assert bytes_core.greater_equal_bytes(left, right) is (left >= right)
    assert bytes_core.contains_bytes(left, right) is (right in left)
    assert list(bytes_core.iterate_bytes(left)) == list(left)
    assert bytes_core.repr_of_bytes(left) == repr(left)
    assert bytes_core.join(left, [right, left, b""]) == left.join([right, left, b""])
    assert bytes_core.bytes_of_ints(list(left)) == left
    assert bytes_core.hash_of_bytes(left + right) == bytes_core.hash_of_bytes(bytes([*left, *right]))


@given(DATA, BOUNDS, BOUNDS, BOUNDS)
def test_items_and_slices(data: bytes, start: int | None, stop: int | None, step: int | None) -> None:
    assert_same(
        bytes_core.slice_of_bytes, lambda data, *bounds: data[slice(*bounds)], data, start, stop, step
    )
    assert_same(bytes_core.item_of_bytes, lambda data, index: data[index], data, start)


@pytest.mark.parametrize("name", ["find", "rfind", "index", "rindex", "count", "startswith", "endswith"])
@given(data=DATA, part=PARTS | st.sampled_from([0x80, 300]), start=BOUNDS, stop=BOUNDS)
def test_search(name: str, data: bytes, part: bytes | int, start: int | None, stop: int | None) -> None:
    if isinstance(part, int) and name in ("startswith", "endswith"):
        return
    ours: Callable[..., object] = getattr(bytes_search, name)
    assert_same(ours, getattr(bytes, name), data, part, start, stop)


@given(DATA, PARTS, PARTS, st.integers(-1, 3), st.booleans())
def test_parts(data: bytes, part: bytes, other: bytes, limit: int, keep: bool) -> None:
    assert_same(bytes_search.replace, bytes.replace, data, part, other, limit)
    assert_same(bytes_search.removeprefix, bytes.removeprefix, data, part)
    assert_same(bytes_search.removesuffix, bytes.removesuffix, data, part)
    for separator in (None, part):
        assert_same(bytes_split.split, bytes.split, data, separator, limit)
        assert_same(bytes_split.rsplit, bytes.rsplit, data, separator, limit)
        assert_same(bytes_split.strip, bytes.strip, data, separator)
        assert_same(bytes_split.lstrip, bytes.lstrip, data, separator)
        assert_same(bytes_split.rstrip, bytes.rstrip, data, separator)
    assert_same(bytes_split.splitlines, bytes.splitlines, data, keep)
    assert_same(bytes_split.partition, bytes.partition, data, part)
    assert_same(bytes_split.rpartition, bytes.rpartition, data, part)


PLAIN = (
    "upper lower swapcase capitalize title isalpha isdigit isalnum isspace isascii islower isupper istitle"
).split()


@given(st.binary(max_size=6) | st.text("aB 1", max_size=6).map(str.encode))
def test_case_and_kinds(data: bytes) -> None:
    for name in PLAIN:
        assert_same(getattr(bytes_form, name), getattr(bytes, name), data)


@given(DATA, st.integers(-1, 12), st.sampled_from([b"*", b"", b"ab"]))
def test_width(data: bytes, width: int, fill: bytes) -> None:
    for name in ("ljust", "rjust", "center"):
        assert_same(getattr(bytes_form, name), getattr(bytes, name), data, width, fill)
    assert_same(bytes_form.zfill, bytes.zfill, data, width)
    assert_same(bytes_form.expandtabs, bytes.expandtabs, data, width)


@given(DATA, st.sampled_from(["-", "ab", ""]), st.integers(-4, 4))
def test_hex(data: bytes, separator: str, size: int) -> None:
    assert bytes_form.hex_of_bytes(data) == data.hex()
    assert_same(bytes_form.hex_of_bytes, bytes.hex, data, separator, size)
    assert bytes_form.fromhex(data.hex(" ")) == data


@given(st.text("0aF g\té", max_size=6))
def test_fromhex(text: str) -> None:
    assert_same(bytes_form.fromhex, bytes.fromhex, text)


@given(DATA, PARTS)
def test_translate(data: bytes, gone: bytes) -> None:
    table = bytes_form.maketrans(b"ab", b"\x00\xff")
    assert table == bytes.maketrans(b"ab", b"\x00\xff")
    assert bytes_form.translate(data, table, gone) == data.translate(table, gone)
    assert bytes_form.translate(data, None, gone) == data.translate(None, gone)
    assert_same(bytes_form.translate, bytes.translate, data, gone)


HANDLERS = "strict ignore replace surrogateescape backslashreplace surrogatepass unknown".split()
ENCODINGS = st.sampled_from(["utf-8", "UTF8", "ascii", "latin-1", "iso_8859_1", "none such"])
BYTES = st.binary(max_size=8) | st.lists(
    st.sampled_from(b"a\x80\xbf\xc2\xe0\xa0\xed\x9f\xf0\x90\xf4\x8f\xff"), max_size=8
).map(bytes)
TEXTS = st.text(st.sampled_from("aé€😀\ud800\udc80\udcff\u0100"), max_size=6)


@given(BYTES, ENCODINGS, st.sampled_from(HANDLERS))
def test_decode(data: bytes, name: str, errors: str) -> None:
    assert_same(decoding.decode, bytes.decode, data, name, errors)


@given(TEXTS, ENCODINGS, st.sampled_from([*HANDLERS, "xmlcharrefreplace"]))
def test_encode(text: str, name: str, errors: str) -> None:
    assert_same(encoding.encode, str.encode, text, name, errors)


@pytest.mark.parametrize("item", [None, "a", 1.5])
def test_messages(item: object) -> None:
    assert_same(bytes_core.add_bytes, lambda data, other: data + other, b"a", item)
    assert_same(bytes_core.contains_bytes, lambda data, part: part in data, b"a", item)
    assert_same(bytes_core.join, bytes.join, b"a", [b"", item])
    assert_same(bytes_core.bytes_of_ints, bytes, [1, 256])
    assert_same(bytes_core.bytes_of_length, bytes, -1)
    assert_same(bytes_core.bytes_of_length, bytes, 3)
