"""Headers against a plain list of pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext import HeaderError, Headers
from meshext.http.headers import Lines

Pairs = list[tuple[str, str]]

NAMES = st.sampled_from(["x-a", "X-A", "x-b", "Set-Cookie", "via"])
VALUES = st.text("ab ,;=\u00e9\udce9", max_size=4).map(str.strip)
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=6)


def named(model: Pairs, name: str) -> list[str]:
    return [value for key, value in model if key == name.lower()]


def set_all(model: Pairs, name: str, values: list[str]) -> None:
    lower = name.lower()
    at = next((i for i, pair in enumerate(model) if pair[0] == lower), len(model))
    rest = [pair for pair in model[at:] if pair[0] != lower]
    model[at:] = [(lower, value) for value in values] + rest


@st.composite
def operations(draw: st.DrawFn) -> tuple[str, str, Any]:
    kind = draw(st.sampled_from(["add", "set", "set_all", "del", "update", "pop"]))
    value = draw(st.lists(VALUES, max_size=3)) if kind == "set_all" else draw(VALUES)
    return kind, draw(NAMES), value


def apply(headers: Headers, model: Pairs, kind: str, name: str, value: Any) -> None:
    match kind:
        case "add":
            headers.add(name, value)
            model.append((name.lower(), value))
        case "set":
            headers[name] = value
            set_all(model, name, [value])
        case "update":
            headers.update({name: value})
            set_all(model, name, [value])
        case "set_all":
            headers.set_all(name, value)
            set_all(model, name, value)
        case "del":
            del headers[name]
            set_all(model, name, [])
        case "pop":
            assert headers.pop(name, "none") == [*named(model, name), "none"][0]
            set_all(model, name, [])


@given(PAIRS, st.lists(operations(), max_size=12))
def test_headers_are_a_list_of_lines(pairs: Pairs, steps: list[tuple[str, str, Any]]) -> None:
    headers = Headers(pairs)
    model = [(name.lower(), value) for name, value in pairs]
    for kind, name, value in steps:
        before, lines = headers.items(), headers.to_lines()
        apply(headers, model, kind, name, value)
        assert headers.items() == model
        assert Headers.from_lines(lines).items() == before  # older lines are never changed
    names = list(dict.fromkeys(key for key, _ in model))
    assert list(headers) == names
    assert len(headers) == len(names)
    for name in ("x-a", "X-B", "set-cookie", "none"):
        found = named(model, name)
        assert headers.get_all(name) == found
        assert headers.get(name) == (found[0] if found else None)
        assert headers.joined(name) == (", ".join(found) if found else None)
        assert (name in headers) == bool(found)


@given(st.binary(max_size=20))
def test_bytes_survive(raw: bytes) -> None:
    lines: Lines = (("x-a", raw),)
    assert Headers(Headers.from_lines(lines).items()).to_lines() == lines


def test_missing_name_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="x-none"):
        Headers()["x-none"]


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda headers: headers.add("x a", "1"), "'x a' is not a header name"),
        (lambda headers: headers.add("", "1"), "'' is not a header name"),
        (lambda headers: headers.add("x-\u00e9", "1"), "is not a header name"),
        (lambda headers: headers.add(":path", "/"), "':path' is not a header name"),
        (lambda headers: headers.add("x-a", "1\r\nx: 2"), "holds a control character"),
        (lambda headers: headers.add("x-a", "\x7f"), "holds a control character"),
        (lambda headers: headers.add("x-a", " 1"), "begins or ends with white space"),
        (lambda headers: headers.add("x-a", 1), "1 is int; write a str"),
        (lambda headers: headers.add("x-a", "\ud800"), "lone surrogate"),
        (lambda headers: headers.add("Host", "x"), "assign request.host"),
        (lambda headers: headers.__setitem__("Content-Length", "1"), "assign body"),
        (lambda headers: headers.set_all("x-a", ["1", "2\n"]), "holds a control character"),
    ],
)
def test_illegal_writes_raise_and_leave_everything(write: Callable[[Any], Any], message: str) -> None:
    headers = Headers([("x-a", "0")])
    with pytest.raises(HeaderError, match=message):
        write(headers)
    assert headers.items() == [("x-a", "0")]


def test_sealed_headers_say_why() -> None:
    headers = Headers.from_lines((("x-a", b"1"),), sealed="it has left")
    with pytest.raises(HeaderError, match="it has left"):
        headers["x-a"] = "2"
    with pytest.raises(HeaderError, match="it has left"):
        del headers["x-a"]
    assert headers["x-a"] == "1"
