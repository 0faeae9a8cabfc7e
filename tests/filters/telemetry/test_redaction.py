"""What looks like a secret never shows, and what is none stays as it is."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext_filters.telemetry.redaction import REDACTED, SUSPECT, Redactor, look_away

REDACTOR = Redactor(("email",))
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Authorization",
            "proxy-authorization",
            "Cookie",
            "set-cookie",
            "x-api-key",
            "x-auth-token",
            "apikey",
        ),
        *("access_token", "id_token", "refreshToken", "client_secret", "password", "pwd", "passcode", "otp"),
        *("sig", "X-Amz-Signature", "X-Amz-Security-Token", "AWSAccessKeyId", "code", "code_verifier"),
        *(
            "JSESSIONID",
            "session",
            "session_id",
            "sid",
            "SAMLResponse",
            "jwt",
            "user[token]",
            "email",
            "EMAIL",
        ),
    ],
)
def test_names_that_mean_a_secret(name: str) -> None:
    assert REDACTOR.is_secret(name)
    assert REDACTOR.query(f"a=1&{quote(name)}=x&b=2") == f"a=1&{quote(name)}={REDACTED}&b=2"


@pytest.mark.parametrize(
    "name", ["page", "user", "tenant", "x-request-id", "traceparent", "country_code", "monkey", "considered"]
)
def test_names_that_do_not(name: str) -> None:
    assert not REDACTOR.is_secret(name)


@pytest.mark.parametrize(
    "secret",
    [
        JWT,
        "Bearer abc",
        "Basic YW5uOnNlY3JldA==",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "xoxb-1234-abcdefghijkl",
        "AKIAIOSFODNN7EXAMPLE",
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "d41d8cd98f00b204e9800998ecf8427e",
        "Zm9vYmFyQmF6MTIzNDU2Nzg",
    ],
)
def test_what_looks_like_a_secret_is_redacted_wherever_it_stands(secret: str) -> None:
    assert secret not in REDACTOR.value(f"before {secret} after")
    assert REDACTOR.value(f"before {secret} after").startswith("before ")
    assert REDACTOR.value(f"https://x.test/a?b={quote(secret)}&c=1").endswith(f"?b={REDACTED}&c=1")
    assert REDACTOR.query(f"a={quote(secret)}&b=2") == f"a={REDACTED}&b=2"
    assert REDACTOR.path(f"/reset/{quote(secret)}/done") == f"/reset/{REDACTED}/done"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "acme",
        "spiffe://cluster.local/ns/shop/sa/checkout",
        "3f2b8c1e-9d4a-4f6b-8e2d-1a2b3c4d5e6f",
        "checkout-7d9c5b6f4-x2x8k.shop.svc.cluster.local",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "text/html,application/xhtml+xml;q=0.9",
        "2026-11-25T20:42:34.123456Z",
        "12345678901234567890",
    ],
)
def test_what_is_no_secret_stays(value: str) -> None:
    assert REDACTOR.value(value) == value
    assert REDACTOR.path(f"/x/{quote(value, safe='')}") == f"/x/{quote(value, safe='')}"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ""),
        ("a", "a"),
        ("=", "="),
        ("&&", "&&"),
        ("token", "token"),
        ("token=", "token="),
        ("a=1;token=x", f"a=1;token={REDACTED}"),
        ("access%5Ftoken=x", f"access%5Ftoken={REDACTED}"),
        ("a=%42earer+abc", f"a={REDACTED}"),
        ("q=b%C3%A4r&a=%ff", "q=b%C3%A4r&a=%ff"),
        ("token=a=b&x", f"token={REDACTED}&x"),
    ],
)
def test_queries(query: str, shown: str) -> None:
    assert REDACTOR.query(query) == shown


def test_parameters_of_a_path() -> None:
    assert REDACTOR.path("/shop;jsessionid=1A2B;v=2/cart") == f"/shop;jsessionid={REDACTED};v=2/cart"


alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
plain = st.text("abcxyz /?&=.-%41+;", max_size=30)


@given(st.binary(min_size=1, max_size=40), st.binary(min_size=1, max_size=40), plain, plain)
def test_no_jwt_is_ever_shown(claims: bytes, signature: bytes, before: str, after: str) -> None:
    def encode(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    payload = json.dumps({"sub": claims.hex()}).encode()
    token = f"{encode(json.dumps({'alg': 'none'}).encode())}.{encode(payload)}.{encode(signature)}"
    for shown in (
        REDACTOR.value(f"{before} {token} {after}"),
        REDACTOR.query(f"{before}&x={token}&{after}"),
        REDACTOR.path(f"/{before}/{token}/{after}"),
    ):
        assert encode(payload) not in shown


@given(st.text(alphabet, min_size=1, max_size=60), plain, plain)
def test_the_value_of_a_secret_name_never_shows(value: str, before: str, after: str) -> None:
    shown = REDACTOR.query(f"{before}&password=x{value}x&{after}")
    assert f"password={REDACTED}&" in shown


@given(plain, plain)
def test_redacting_twice_changes_nothing(path: str, query: str) -> None:
    assert REDACTOR.path(REDACTOR.path(path)) == REDACTOR.path(path)
    assert REDACTOR.query(REDACTOR.query(query)) == REDACTOR.query(query)


looks = st.sampled_from(
    ["eyJ", ".", "Bearer", " ", "ghp_", "AKIA", "a1B2c3D4e5F6", "0f" * 16, "-", "%20", "x", "+"]
)


@given(st.lists(looks, max_size=8).map("".join))
def test_the_quick_look_passes_over_no_secret(text: str) -> None:
    if SUSPECT.search(text) is None:
        assert look_away(unquote(text.replace("+", " "))) == unquote(text.replace("+", " "))
