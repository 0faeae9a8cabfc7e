"""ipaddress and urllib.parse beside CPython's, on texts that nobody would write."""

from __future__ import annotations

import ipaddress as real
import urllib.parse as real_urls
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext_wasm.library import ipaddress
from meshext_wasm.library.urllib import parse as urls

ADDRESSES = st.text("0123456789abcdefF:.%/gx", max_size=24) | st.ip_addresses().map(str)
NETWORKS = st.builds("{}/{}".format, st.ip_addresses().map(str), st.integers(0, 130)) | ADDRESSES
URLS = st.text("ab:/?#[]@.1%\t é", max_size=20) | st.builds(
    "http://{}/{}".format, *[st.text("a1:@[].%", max_size=9)] * 2
)

# What security releases of Python 3.11 have changed, which not every 3.11 has: is_private, brackets in URLs.
TELLS_PRIVATE = real.ip_address("192.0.0.8").is_private
KNOWS = [
    *"packed version compressed exploded is_loopback is_multicast is_reserved".split(),
    *(["is_private", "is_global"] if TELLS_PRIVATE else []),
]


def told(function: Callable[[str], object], text: str) -> str:
    """What a function makes of a text, as text."""
    try:
        return repr(function(text))
    except ValueError as error:
        return f"{type(error).__name__}: {error}"


@given(ADDRESSES)
def test_addresses(text: str) -> None:
    for name in ("ip_address", "IPv4Address", "IPv6Address"):
        assert told(getattr(ipaddress, name), text) == told(getattr(real, name), text)


@given(NETWORKS)
def test_networks(text: str) -> None:
    for name in ("ip_network", "IPv4Network", "IPv6Network"):
        assert told(getattr(ipaddress, name), text) == told(getattr(real, name), text)


@given(st.ip_addresses())
def test_what_is_known_of_an_address(address: real.IPv4Address | real.IPv6Address) -> None:
    ours = ipaddress.ip_address(str(address))
    for name in KNOWS:
        assert getattr(ours, name) == getattr(address, name), name


@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("192.0.0.8", True),
        ("192.0.0.9", False),
        ("192.0.0.170", True),
        ("192.0.1.1", False),
        ("100.64.0.1", False),
        ("64:ff9b:1::1", True),
        ("2001:1::1", False),
        ("2001:1::3", True),
        ("2001:20::1", False),
        ("2002:a00:1::", True),
        ("::ffff:10.0.0.1", True),
    ],
)
def test_private_addresses(text: str, private: bool) -> None:
    """As IANA's registries of special addresses say."""
    address = ipaddress.ip_address(text)
    assert (address.is_private, ipaddress.ip_network(text).is_private) == (private, private)
    assert address.is_global == (not private and text != "100.64.0.1")


@pytest.mark.parametrize("place", ["a[::1]", "[::1]a", "a[::1]:80", "[::1", "[1.2.3.4]", "[]", "u[@a]"])
def test_nothing_stands_beside_brackets(place: str) -> None:
    assert told(urls.urlsplit, f"http://{place}/").startswith("ValueError")


@pytest.mark.parametrize("place", ["[::1]", "[::1]:80", "u[x]@[::1]", "[v1.a]"])
def test_brackets_enclose_an_address(place: str) -> None:
    assert urls.urlsplit(f"http://{place}/").netloc == place


def is_judged(text: str) -> bool:
    """Whether this CPython judges it as the last 3.11 does."""
    return told(real_urls.urlsplit, "http://a[::1]/").startswith("ValueError") or "[" not in text


@given(URLS.filter(is_judged))
def test_urls(text: str) -> None:
    assert told(urls.urlsplit, text) == told(real_urls.urlsplit, text)
    if not told(urls.urlsplit, text).startswith("ValueError"):
        ours, theirs = urls.urlsplit(text), real_urls.urlsplit(text)
        for name in ("username", "password", "hostname"):
            assert getattr(ours, name) == getattr(theirs, name)
        assert ours.geturl() == theirs.geturl()
        assert told(lambda _: ours.port, "") == told(lambda _: theirs.port, "")


@pytest.mark.parametrize("name", ["quote", "quote_plus", "unquote", "unquote_plus", "unquote_to_bytes"])
@given(text=st.text("a %+é/~4C3\U0001f600", max_size=12))
def test_quoting(name: str, text: str) -> None:
    assert getattr(urls, name)(text) == getattr(real_urls, name)(text)


@given(st.text("ab=&+%41;é", max_size=16), st.booleans())
def test_queries(text: str, keep: bool) -> None:
    assert urls.parse_qsl(text, keep) == real_urls.parse_qsl(text, keep)
    assert urls.parse_qs(text, keep) == real_urls.parse_qs(text, keep)
