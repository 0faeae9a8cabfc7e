"""Cookies, as the client wrote them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext import Cookies, Headers

TOKENS = st.text("abc-_", min_size=1, max_size=4)
VALUES = st.text('ab =%"\u00e9', max_size=4).map(str.strip)


@given(st.lists(st.lists(st.tuples(TOKENS, VALUES), min_size=1, max_size=3), max_size=3))
def test_every_line_counts_and_the_first_of_a_name_wins(lines: list[list[tuple[str, str]]]) -> None:
    headers = Headers([("cookie", "; ".join(f"{name}={value}" for name, value in line)) for line in lines])
    expected: dict[str, str] = {}
    for name, value in (pair for line in lines for pair in line):
        expected.setdefault(name, value)
    cookies = Cookies(headers)
    assert dict(cookies) == expected
    assert {name: cookies.get_all(name)[0] for name in cookies} == expected
    assert sum(len(cookies.get_all(name)) for name in cookies) == sum(map(len, lines))


def test_nothing_is_decoded() -> None:
    cookies = Cookies(Headers([("cookie", 'a="x y"; b=%20;c=1=2 ; odd; =empty')]))
    assert dict(cookies) == {"a": '"x y"', "b": "%20", "c": "1=2", "": "empty"}
    assert cookies.get("odd") is None
    assert dict(Cookies(Headers([("cookie", " a = b ;\tc\t=\td e\t")]))) == {"a": "b", "c": "d e"}
    with pytest.raises(KeyError):
        cookies["odd"]


def test_values_are_not_shown() -> None:
    assert repr(Cookies(Headers([("cookie", "session=secret")]))) == "Cookies(['session'])"
