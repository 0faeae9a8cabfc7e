"""Attributes: names, how each travels, and what arrives becomes a value of the promised type."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext.attributes import (
    ATTRIBUTES,
    attribute_key,
    check_attributes,
    check_authz_attributes,
    from_request,
    from_struct,
    from_text,
    parse_duration,
    select_attributes,
)
from meshext.errors import SpecError, UnsupportedError

LINES = [
    (":method", "GET"),
    (":path", "/a/b?c=d?e"),
    (":authority", "shop.example:8443"),
    (":scheme", "https"),
    ("user-agent", "one"),
    ("user-agent", "\udcff"),
    ("content-length", "12"),
]


def test_every_row_says_how_it_travels() -> None:
    for name, row in ATTRIBUTES.items():
        assert row.name == name
        assert bool(row.format) == (row.carrier == "metadata")
        assert "CEL(" not in row.format
        assert attribute_key(name) == attribute_key(name).lower()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("source.prot", "did you mean 'source.port'?"),
        ("metadata", "declare metadata_namespaces"),
        ("request.headers", "has them all"),
        ("zzz", "they are connection.dns_san_local_certificate"),
    ],
)
def test_unknown_name(name: str, told: str) -> None:
    with pytest.raises(SpecError, match=f"'{name}' is not an attribute") as caught:
        check_attributes(["source.port", name])
    assert told in str(caught.value)


def test_authz_refuses_by_name() -> None:
    check_authz_attributes(["source.port", "request.path"])
    with pytest.raises(UnsupportedError, match=r"'xds.virtual_host_name'; use --mode proc"):
        check_authz_attributes(["source.port", "xds.virtual_host_name"])


def test_select() -> None:
    chosen = select_attributes(["request.path", "source.port", "response.code"], "metadata")
    assert [row.name for row in chosen] == ["source.port"]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("source.port", "4711", 4711),
        ("source.port", None, None),
        ("connection.mtls", "91bd", True),
        ("connection.mtls", None, False),
        ("request.time", "1795401942.287880", 1795401942.287880),
        ("xds.route_name", "all", "all"),
        ("connection.requested_server_name", None, None),
    ],
)
def test_from_text(name: str, text: str | None, value: object) -> None:
    assert from_text(name, text) == value


@pytest.mark.parametrize(
    ("name", "text"), [("source.port", "٣"), ("source.port", "-1"), ("request.time", "noon")]
)
def test_from_text_refuses(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"no whole number|could not convert"):
        from_text(name, text)


@pytest.mark.parametrize(
    ("name", "sent", "value"),
    [
        ("response.code", 200.0, 200),
        ("xds.virtual_host_name", "", None),
        ("xds.virtual_host_name", None, None),
        ("xds.virtual_host_name", "all", "all"),
        ("upstream.cx_pool_ready_duration", "18.875us", 18.875e-6),
    ],
)
def test_from_struct(name: str, sent: object, value: object) -> None:
    found = from_struct(name, sent)
    assert found == (pytest.approx(value) if isinstance(value, float) else value)
    assert type(found) is type(value)


@pytest.mark.parametrize("sent", [True, [], {}, "text"])
def test_from_struct_refuses_another_type(sent: object) -> None:
    with pytest.raises(ValueError, match="which is no int"):
        from_struct("response.code", sent)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("request.path", "/a/b?c=d?e"),
        ("request.url_path", "/a/b"),
        ("request.query", "c=d?e"),
        ("request.host", "shop.example:8443"),
        ("request.scheme", "https"),
        ("request.method", "GET"),
        ("request.useragent", "one,\udcff"),
        ("request.referer", None),
        ("request.id", None),
        ("request.size", 12),
    ],
)
def test_from_request(name: str, value: object) -> None:
    assert from_request(name, LINES) == value


def test_from_request_without_a_path() -> None:
    assert from_request("request.url_path", []) is None
    assert from_request("request.query", []) is None
    assert from_request("request.size", [("content-length", "1,2")]) == 0


def test_every_request_attribute_can_be_worked_out() -> None:
    for name in (name for name, row in ATTRIBUTES.items() if row.carrier == "request"):
        assert isinstance(from_request(name, LINES), str | int | None)


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("1m2.5s", 62.5), ("-3ms", -0.003), ("1h", 3600)])
def test_duration(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@given(st.text(alphabet="0123456789.hmsnu-", max_size=8))
def test_duration_is_a_number_or_refused(text: str) -> None:
    if re.fullmatch(r"-?(0|(\d+(\.\d+)?(ns|us|ms|s|m|h))+)", text):
        assert isinstance(parse_duration(text), float | int)
    else:
        with pytest.raises(ValueError, match=re.escape(repr(text))):
            parse_duration(text)
