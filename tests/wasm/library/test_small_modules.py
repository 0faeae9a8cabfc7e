"""bisect, fnmatch, uuid, zlib and http beside CPython's."""

from __future__ import annotations

import bisect as real_bisect
import fnmatch as real_fnmatch
import http as real_http
import uuid as real_uuid
import zlib as real_zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from meshext_wasm.library import bisect, fnmatch, http, uuid, zlib
from tests.wasm.library.same import assert_same

NAMES = st.text("ab]-!.\n", max_size=8)
PATTERNS = st.text("ab*?[]!-.\n\\", max_size=8)
TEXTS = st.text("0123456789abcdefABF-{}urn:id ", max_size=40) | st.uuids().map(str)


@given(NAMES, PATTERNS)
@example("a", "[!]")
@example("]", "[]]")
@example("-", "[a-]")
@example("b", "[a-b-]")
@example("b", "[b-a]")
@example("a", "[!b-a]")
@example("aab", "*a*b")
def test_names_and_patterns(name: str, pattern: str) -> None:
    assert fnmatch.fnmatch(name, pattern) is real_fnmatch.fnmatch(name, pattern)
    assert fnmatch.filter([name, "a"], pattern) == real_fnmatch.filter([name, "a"], pattern)


def test_many_stars_end_soon() -> None:
    assert not fnmatch.fnmatch("a" * 2000, "*a" * 100 + "b")


@given(st.lists(st.integers(0, 9), max_size=12).map(sorted), st.integers(-1, 10), st.integers(-1, 3))
@pytest.mark.parametrize("name", ["bisect_left", "bisect_right", "bisect"])
def test_places(name: str, items: list[int], item: int, low: int) -> None:
    assert_same(getattr(bisect, name), getattr(real_bisect, name), items, item, low)


@given(st.lists(st.tuples(st.integers(0, 3), st.text(max_size=1)), max_size=9), st.integers(0, 3))
def test_insertion_by_key(items: list[tuple[int, str]], number: int) -> None:
    items.sort(key=lambda each: each[0])
    for name in ("insort", "insort_left", "insort_right"):
        ours, theirs = list(items), list(items)
        getattr(bisect, name)(ours, (number, "new"), key=lambda each: each[0])
        getattr(real_bisect, name)(theirs, (number, "new"), key=lambda each: each[0])
        assert ours == theirs


@given(TEXTS)
@example("urn:uuid:12345678-1234-5678-1234-567812345678")
@example("{12345678123456781234567812345678}")
def test_uuids_as_text(text: str) -> None:
    assert_same(lambda: repr(uuid.UUID(text)), lambda: repr(real_uuid.UUID(text)))


@given(st.uuids(), st.text(max_size=9), st.integers(0, 6))
def test_what_is_known_of_a_uuid(given: real_uuid.UUID, name: str, version: int) -> None:
    ours = uuid.UUID(int=given.int)
    for field in ("hex", "bytes", "urn", "variant", "version", "int"):
        assert getattr(ours, field) == getattr(given, field)
    assert str(uuid.uuid5(ours, name)) == str(real_uuid.uuid5(given, name))
    assert str(uuid.uuid3(uuid.NAMESPACE_DNS, name)) == str(real_uuid.uuid3(real_uuid.NAMESPACE_DNS, name))
    assert_same(
        lambda: str(uuid.UUID(bytes=given.bytes, version=version)),
        lambda: str(real_uuid.UUID(bytes=given.bytes, version=version)),
    )


@given(st.binary(max_size=600), st.binary(max_size=600).map(real_zlib.adler32) | st.just(65521))
def test_checksums(data: bytes, start: int) -> None:
    assert zlib.adler32(data) == real_zlib.adler32(data)
    assert zlib.adler32(data, start) == real_zlib.adler32(data, start)
    assert zlib.crc32(data) == real_zlib.crc32(data)


def test_every_status() -> None:
    ours = {each.name: (each.value, each.phrase, str(each)) for each in http.HTTPStatus}
    assert ours == {each.name: (each.value, each.phrase, str(each)) for each in real_http.HTTPStatus}
    assert [each.value for each in http.HTTPMethod] == [each.value for each in real_http.HTTPMethod]
