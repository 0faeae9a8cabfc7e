"""The request line, the body, and what can be changed when."""

from __future__ import annotations

from typing import Any

import pytest

from meshext import HeaderError, Request
from meshext.http.context import Rights, Surroundings, View
from meshext.http.parts import RequestParts, request_change, request_parts


def build_request(target: str = "/a?b=1", method: str = "GET", body: bytes | None = None) -> Request[None]:
    view = View(Surroundings(), Rights(filter_name="f", namespace="meshext.f"))
    parts = RequestParts((("x-a", b"1"),), method, "http", "shop.test", target, body)
    request: Request[None] = Request(view, parts)
    request.load(parts)
    request.open_body()
    return request


def test_path_and_target_are_one() -> None:
    request = build_request("/a/b?c=d?e")
    assert (request.path, request.target) == ("/a/b", "/a/b?c=d?e")
    request.path = "/new"
    assert request.target == "/new?c=d?e"
    request.target = "/x"
    assert (request.path, request.query.items()) == ("/x", [])
    request.target = "*"
    assert request.path == "*"


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("method", ""),
        ("method", "G T"),
        ("method", None),
        ("scheme", "HTTP"),
        ("scheme", "ws"),
        ("host", ""),
        ("host", "a b"),
        ("host", "a/b"),
        ("host", "a?b"),
        ("path", "a"),
        ("path", ""),
        ("path", "/a?b"),
        ("path", "/a#b"),
        ("target", "http://a/"),
        ("target", "/\u00e9"),
        ("target", "/a\r\n"),
        ("body", "text"),
    ],
)
def test_illegal_parts_raise(part: str, value: Any) -> None:
    request = build_request(body=b"")
    before = request.parts()
    with pytest.raises(HeaderError):
        setattr(request, part, value)
    assert request.parts() == before


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("Shop.Test", "shop.test"),
        ("shop.test.:8080", "shop.test"),
        ("[::1]:80", "[::1]"),
        ("[::1]", "[::1]"),
        ("user@shop.test", "shop.test"),
        ("shop.test:", "shop.test"),
    ],
)
def test_hostname_is_for_comparing(host: str, name: str) -> None:
    request = build_request()
    request.host = host
    assert (request.host, request.hostname) == (host, name)


def test_connect_has_no_path() -> None:
    request = build_request("", "CONNECT")
    assert (request.path, request.target, request.query.items()) == ("", "", [])
    with pytest.raises(HeaderError, match="CONNECT"):
        request.path = "/"
    with pytest.raises(HeaderError, match="CONNECT"):
        request.query["a"] = "1"


def test_body_before_it_is_here() -> None:
    with pytest.raises(HeaderError, match="on_request_body"):
        _ = build_request().body


def test_sealed_request_can_be_read_only() -> None:
    request = build_request()
    request.seal()
    assert request.headers["x-a"] == "1"
    for write in ("method", "host", "path", "target"):
        with pytest.raises(HeaderError, match="has left"):
            setattr(request, write, "/x")
    with pytest.raises(HeaderError, match="has left"):
        request.headers["x-a"] = "2"
    with pytest.raises(HeaderError, match="has left"):
        request.query["b"] = "2"


def test_change_is_what_differs() -> None:
    request = build_request()
    before = request.parts()
    assert not request_change(before, request.parts())
    request.path, request.headers["x-b"] = "/z", "2"
    del request.headers["x-a"]
    change = request_change(before, request.parts())
    assert change.remove == ("x-a",)
    assert change.replace == ((":path", (b"/z?b=1",)), ("x-b", (b"2",)))


def test_parts_and_wire_agree() -> None:
    request = build_request()
    assert request_parts(request.parts().to_lines()) == request.parts()
    connect = build_request("", "CONNECT").parts()
    assert [name for name, _ in connect.to_lines()] == [":method", ":authority", "x-a"]
