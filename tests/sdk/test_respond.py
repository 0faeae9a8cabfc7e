"""Respond: checked where it is made."""

from __future__ import annotations

from typing import Any

import pytest

from meshext import HeaderError, Headers, Respond


def test_headers_from_a_mapping_or_pairs() -> None:
    assert Respond(200, headers={"X-A": "1"}).headers.items() == [("x-a", "1")]
    pairs = [("set-cookie", "a=1"), ("set-cookie", "b=2")]
    assert Respond(200, headers=pairs).headers.items() == pairs
    assert Respond(200, headers=Headers(pairs)).headers.items() == pairs


def test_text_is_utf_8() -> None:
    assert Respond(200, body="h\u00e9").body == b"h\xc3\xa9"
    assert Respond(200).body == b""


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": 100},
        {"status": 199},
        {"status": 600},
        {"status": "200"},
        {"status": True},
        {"status": 200.0},
        {"status": 200, "body": 7},
        {"status": 200, "headers": {"a b": "1"}},
        {"status": 200, "headers": {"x-a": "1\n"}},
        {"status": 200, "headers": {"content-length": "0"}},
        {"status": 200, "details": b"x"},
        {"status": 204, "body": "x"},
    ],
)
def test_what_makes_no_sense_raises(wrong: dict[str, Any]) -> None:
    with pytest.raises(HeaderError):
        Respond(**wrong)


@pytest.mark.parametrize("status", [200, 299, 418, 599])
def test_any_final_status(status: int) -> None:
    assert Respond(status).status == status
