"""Which tokens are believed: those that the authority signed, for who asks, in time, and nothing else."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any, TypeVar

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshext_controlplane.identity.errors import IdentityError, JwtError
from meshext_controlplane.identity.jwt_checking import Believed, check_jwt_svid, key_id_of, read_claims
from meshext_controlplane.identity.jwt_svid import (
    LONGEST_AUDIENCE,
    MOST_AUDIENCES,
    JwtKey,
    check_audiences,
    sign_jwt_svid,
    to_base64url,
)
from tests.controlplane.identity.tokens_of import CLAIMS, NOW, SUBJECT, Signer, encode

T = TypeVar("T")
SIGNER, OTHER = Signer(), Signer()
HEADER = {"alg": "ES256", "kid": "k1", "typ": "JWT"}


def check(token: str, **more: Any) -> Believed:
    given: dict[str, Any] = {"audience": "orders", "trust_domain": "shop.example", "now": NOW, **more}
    return check_jwt_svid(token, given.pop("keys", [SIGNER.public]), **given)


def test_what_we_sign_is_believed_by_us_and_by_others() -> None:
    token = sign_jwt_svid(
        SIGNER.key, "k1", subject=SUBJECT, audiences=["orders", "é"], issued=NOW, expires=NOW + 300
    )
    found = check(token)
    assert (str(found.identity), found.claims) == (SUBJECT, {**CLAIMS, "aud": ["orders", "é"]})
    assert (key_id_of(token), read_claims(token)) == ("k1", found.claims)
    public = SIGNER.key.public_key()
    options: Any = {"verify_exp": False, "verify_iat": False}
    assert jwt.decode(token, public, algorithms=["ES256"], audience="é", options=options) == found.claims
    assert jwt.get_unverified_header(token) == HEADER


@pytest.mark.parametrize("typ", [None, "JWT", "JOSE"])
@pytest.mark.parametrize("aud", ["orders", ["orders"], ["others", "orders"]])
def test_what_the_standard_lets_others_write(typ: str | None, aud: object) -> None:
    header = {"alg": "ES256", "kid": "k1"} | ({} if typ is None else {"typ": typ})
    claims = {**CLAIMS, "aud": aud, "exp": NOW + 0.5, "nbf": NOW, "custom": {"a": [1, None, True]}}
    assert check(SIGNER.sign(header, claims)).claims == claims


HEADERS: list[tuple[object, str]] = [
    ({**HEADER, "alg": "none"}, "algorithm"),
    ({**HEADER, "alg": "HS256"}, "algorithm"),
    ({**HEADER, "alg": "es256"}, "algorithm"),
    ({**HEADER, "alg": "RS256"}, "algorithm"),
    ({**HEADER, "alg": ["ES256"]}, "algorithm"),
    ({"kid": "k1"}, "algorithm"),
    ({"alg": "ES256"}, "which key"),
    ({**HEADER, "kid": None}, "which key"),
    ({**HEADER, "kid": ["k1"]}, "which key"),
    ({**HEADER, "kid": "k2"}, "not one of this trust domain"),
    ({**HEADER, "kid": "../k1"}, "not one of this trust domain"),
    ({**HEADER, "typ": "at+jwt"}, "type"),
    ({**HEADER, "typ": None}, "type"),
    ({**HEADER, "crit": ["exp"]}, "'crit'"),
    ({**HEADER, "jwk": {}}, "'jwk'"),
    ({**HEADER, "jku": "http://169.254.169.254/"}, "'jku'"),
    ({**HEADER, "zip": "DEF"}, "'zip'"),
    ({**HEADER, "b64": False}, "'b64'"),
    ('{"alg": "none", "alg": "ES256", "kid": "k1"}', "no JSON"),
    ("[]", "no object"),
    (b"\xff", "no UTF-8"),
    ("[" * 5000, "nested"),
    ('{"a":' * 4000, "nested"),
]


@pytest.mark.parametrize(("header", "said"), HEADERS, ids=lambda each: str(each)[:30])
def test_another_header_is_refused(header: object, said: str) -> None:
    with pytest.raises(JwtError, match=said):
        check(SIGNER.sign(header))


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in CLAIMS.items() if key != name}


BODIES: list[tuple[object, str]] = [
    (without("aud"), "for nobody"),
    ({**CLAIMS, "aud": []}, "for nobody"),
    ({**CLAIMS, "aud": ["orders", 1]}, "for nobody"),
    ({**CLAIMS, "aud": {"orders": 1}}, "for nobody"),
    ({**CLAIMS, "aud": ["Orders"]}, "for others"),
    ({**CLAIMS, "aud": "orders2"}, "for others"),
    (without("exp"), "no time"),
    ({**CLAIMS, "exp": NOW}, "expired"),
    ({**CLAIMS, "exp": str(NOW + 9)}, "no time"),
    ({**CLAIMS, "exp": True}, "no time"),
    ({**CLAIMS, "exp": 10**400}, "no time"),
    ({**CLAIMS, "nbf": NOW + 1}, "not valid yet"),
    ({**CLAIMS, "nbf": "soon"}, "no time"),
    (without("sub"), "for nobody"),
    ({**CLAIMS, "sub": ""}, "no identity"),
    ({**CLAIMS, "sub": [SUBJECT]}, "for nobody"),
    ({**CLAIMS, "sub": SUBJECT.replace("shop.example", "shop.example.evil")}, "trust domain"),
    ({**CLAIMS, "sub": SUBJECT.replace("shop.example", "SHOP.example")}, "trust domain"),
    ({**CLAIMS, "sub": f"{SUBJECT}/../admin"}, "no identity"),
    (json.dumps(CLAIMS)[:-1] + ', "sub": "spiffe://shop.example/ns/shop/sa/admin"}', "no JSON"),
    (json.dumps(CLAIMS)[:-1] + ', "exp": NaN}', "no JSON"),
    (json.dumps(CLAIMS)[:-1] + ', "x": 1e999}', "no JSON"),
    (json.dumps(CLAIMS)[:-1] + ', "x": ' + "9" * 5000 + "}", "no JSON"),
    ({**CLAIMS, "x": json.loads("[" * 17 + "]" * 17)}, "nested"),
    ("null", "no object"),
    (b"\x00", "no JSON"),
    (b"\xed\xa0\x80", "no UTF-8"),
]


@pytest.mark.parametrize(("claims", "said"), BODIES, ids=lambda each: str(each)[:30])
def test_other_claims_are_refused(claims: object, said: str) -> None:
    with pytest.raises(JwtError, match=said):
        check(SIGNER.sign(None, claims))


def test_forged_signatures_are_refused() -> None:
    token = SIGNER.sign()
    signed, _, signature = token.rpartition(".")
    public = SIGNER.public.public
    forged = [
        OTHER.sign(),  # another key under the same name
        f"{signed}.{to_base64url(b'')}" + "AA",
        f"{signed}.{encode(bytes(64))}",
        f"{signed}.{encode(bytes(63))}",
        f"{signed}.{encode(hmac.digest(public, signed.encode(), hashlib.sha256))}",
        f"{signed}.{encode(SIGNER.signature(signed) + b'x')}",
        f"{encode({**HEADER, 'typ': 'JOSE'})}.{encode(CLAIMS)}.{signature}",
        f"{encode(HEADER)}.{encode({**CLAIMS, 'aud': ['admin', 'orders']})}.{signature}",
    ]
    for each in forged:
        with pytest.raises(JwtError, match="signature"):
            check(each)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("", "three parts"),
        ("..", "base64url"),
        ("a.b", "three parts"),
        ("{}.{}.{}.{}", "three parts"),
        ("{0}.{1}.", "base64url"),
        ("{0}=.{1}.{2}", "base64url"),
        ("{0}.{1}.{2} ", "base64url"),
        ("{0}.{1}.{2}\n", "base64url"),
        ("{0}.{1}.+/{2}", "base64url"),
        ("{0}.{1}.{2}A", "signature"),
        ("{0}.{1}.é{2}", "base64url"),
        ('{{"payload":"{1}","signature":"{2}"}}', "three parts"),
        ("{0}.{1}." + "A" * 40_000, "bytes"),
    ],
)
def test_what_is_no_compact_jws_is_refused(broken: str, said: str) -> None:
    parts = SIGNER.sign().split(".")
    with pytest.raises(JwtError, match=said):
        check(broken.format(*parts, "") if "{" in broken else broken)


def test_one_token_is_one_text() -> None:
    """The last letter of a signature has bits that nobody reads: each value but one is another text."""
    token = SIGNER.sign()
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twins = [token[:-1] + each for each in letters if each != token[-1]]
    for twin in twins:
        with pytest.raises(JwtError):
            check(twin)


def test_keys_bans_and_domains() -> None:
    token = SIGNER.sign()
    for keys in ([], [OTHER.public], [JwtKey("k1", b"?")], [JwtKey("k2", SIGNER.public.public)]):
        with pytest.raises(JwtError):
            check(token, keys=keys)
    assert str(check(token, keys=[JwtKey("k2", OTHER.public.public), SIGNER.public]).identity) == SUBJECT
    with pytest.raises(JwtError, match="is banned"):
        check(token, banned=[SUBJECT])
    with pytest.raises(JwtError, match="trust domain"):
        check(token, trust_domain="example")


@given(st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9_-]{0,40}(\.[A-Za-z0-9_-]{0,40}){0,4}"))
def test_no_text_is_a_token(text: str) -> None:
    with pytest.raises(JwtError):
        check(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = ["alg", "kid", "typ", "aud", "exp", "nbf", "sub", "crit"]


@given(st.sampled_from(NAMES), JSON, st.booleans())
@settings(max_examples=300)
def test_a_signed_token_is_believed_or_refused_in_words(name: str, value: object, in_header: bool) -> None:
    header, claims = ({**HEADER, name: value}, CLAIMS) if in_header else (HEADER, {**CLAIMS, name: value})
    found, said = outcome(lambda: check(SIGNER.sign(header, claims)))
    if found is None:
        assert 0 < len(said) < 400
    else:
        assert str(found.identity) == SUBJECT
        assert not in_header or (name, value) in HEADER.items() or (name == "typ" and value == "JOSE")


def outcome(doing: Callable[[], T]) -> tuple[T | None, str]:
    """What it gives, or what it refuses with."""
    try:
        return doing(), ""
    except IdentityError as error:
        return None, str(error)


@given(st.integers(0, 400), st.integers(0, 7))
def test_no_flipped_bit_is_believed(place: int, bit: int) -> None:
    token = bytearray(SIGNER.sign().encode())
    token[place % len(token)] ^= 1 << bit
    with pytest.raises(JwtError):
        check(token.decode("latin-1"))


@given(st.lists(st.text(max_size=5) | st.sampled_from(["orders", "\n", "", "a" * 600]), max_size=20))
def test_audiences(asked: list[str]) -> None:
    found, said = outcome(lambda: check_audiences(asked))
    if found is None:
        assert 0 < len(said) < 200
    else:
        assert list(found) == list(dict.fromkeys(asked))
        assert 0 < len(found) <= MOST_AUDIENCES
        assert all(0 < len(each.encode()) <= LONGEST_AUDIENCE for each in found)
