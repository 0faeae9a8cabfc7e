"""Is a token to be believed? Nothing of it is before its signature is checked, and nothing unknown then.

Of what a signer may write, everything that JWT-SVID.md does not name is refused in the header (`crit`, `jku`,
`jwk`, `x5u` ... tell a reader where to look for trust) and passed on in the claims.
"""

from __future__ import annotations

import binascii
import json
import math
import re
from base64 import urlsafe_b64decode
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key

from meshext_controlplane.identity.errors import JwtError
from meshext_controlplane.identity.jwt_svid import ALGORITHM, JwtKey, to_base64url
from meshext_controlplane.model.spiffe import SpiffeId, SpiffeIdError

LONGEST = 32_768  # bytes of a token
DEEPEST = 16  # objects and arrays inside of each other
_HEADER = frozenset({"alg", "kid", "typ"})
_TYPES = ("JWT", "JOSE")
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")
_SIGNATURE = 64  # bytes: r and s
_OPENING = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Believed:
    """Who speaks, and all that the token claims."""

    identity: SpiffeId
    claims: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Parts:
    header: dict[str, Any]
    claims: str
    signed: bytes
    signature: bytes


def check_jwt_svid(
    token: str,
    keys: Iterable[JwtKey],
    *,
    audience: str,
    trust_domain: str,
    now: float,
    banned: Collection[str] = (),
) -> Believed:
    """Who the token speaks for; JwtError says why it is not believed.

    `keys` are those of the trust domain, `now` is in seconds since 1970, `banned` has SPIFFE IDs.
    """
    parts = _split(token)
    _check_signature(parts, keys)
    claims = _parse_object(parts.claims, "claims")
    identity = _check_subject(claims, trust_domain)
    if audience not in _read_audiences(claims):
        raise JwtError(f"the token is for others than {audience[:80]!r}")
    if _read_time(claims, "exp") <= now:
        raise JwtError("the token has expired")
    if "nbf" in claims and _read_time(claims, "nbf") > now:
        raise JwtError("the token is not valid yet")
    if str(identity) in banned:
        raise JwtError(f"{identity} is banned")
    return Believed(identity, claims)


def read_claims(token: str) -> dict[str, Any]:
    """What a token says, whoever has signed it; JwtError where it is none."""
    return _parse_object(_split(token).claims, "claims")


def key_id_of(token: str) -> str:
    """The key that a token says to be signed with; JwtError where it is none."""
    return str(_split(token).header["kid"])


def _split(token: str) -> _Parts:
    """The parts of a token with a header that we know."""
    if len(token) > LONGEST:
        raise JwtError(f"the token has {len(token)} bytes; it may have {LONGEST}")
    segments = token.split(".")
    if len(segments) != 3:
        raise JwtError("a token has three parts with dots between them (JWS in its compact form)")
    header, claims, signature = map(_decode, segments)
    found = _parse_object(_to_text(header), "header")
    _check_header(found)
    signed = token.rpartition(".")[0].encode()
    return _Parts(found, _to_text(claims), signed, signature)


def _check_header(header: dict[str, Any]) -> None:
    if header.get("alg") != ALGORITHM:
        raise JwtError(f"the token's algorithm is {header.get('alg')!r:.40}; it has to be {ALGORITHM}")
    if unknown := header.keys() - _HEADER:
        raise JwtError(f"the token's header has {min(unknown)[:40]!r}, which no JWT-SVID has")
    if header.get("typ", _TYPES[0]) not in _TYPES:
        raise JwtError(f"the token's type is {header['typ']!r:.40}; it has to be JWT or JOSE")
    if not isinstance(header.get("kid"), str):
        raise JwtError("the token does not say which key it is signed with")


def _check_signature(parts: _Parts, keys: Iterable[JwtKey]) -> None:
    name = parts.header["kid"]
    found = next((each for each in keys if each.id == name), None)
    if found is None:
        raise JwtError("the token is signed with a key that is not one of this trust domain")
    if len(parts.signature) != _SIGNATURE:
        raise _forged()
    half = _SIGNATURE // 2
    r, s = (int.from_bytes(each, "big") for each in (parts.signature[:half], parts.signature[half:]))
    try:
        read_public_key(found).verify(encode_dss_signature(r, s), parts.signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise _forged() from None


def read_public_key(key: JwtKey) -> ec.EllipticCurvePublicKey:
    """The key of ES256; JwtError where it is another one."""
    try:
        found = load_der_public_key(key.public)
    except ValueError:
        raise JwtError(f"the key {key.id[:40]!r} is damaged") from None
    if not isinstance(found, ec.EllipticCurvePublicKey) or not isinstance(found.curve, ec.SECP256R1):
        raise JwtError(f"the key {key.id[:40]!r} is none for {ALGORITHM}")
    return found


def _check_subject(claims: dict[str, Any], trust_domain: str) -> SpiffeId:
    subject = claims.get("sub")
    if not isinstance(subject, str):
        raise JwtError("the token speaks for nobody: `sub` is missing")
    try:
        identity = SpiffeId.parse(subject)
    except SpiffeIdError as error:
        raise JwtError(str(error)) from None
    if identity.trust_domain != trust_domain:
        raise JwtError(f"{identity} is not of the trust domain {trust_domain}")
    return identity


def _read_audiences(claims: dict[str, Any]) -> list[str]:
    found = claims.get("aud")
    audiences = [found] if isinstance(found, str) else found
    if not isinstance(audiences, list) or not audiences or not all(isinstance(a, str) for a in audiences):
        raise JwtError("the token is for nobody: `aud` has to be a text, or a list of them")
    return audiences


def _read_time(claims: dict[str, Any], name: str) -> float:
    """Seconds since 1970: RFC 7519's NumericDate."""
    found = claims.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float) or abs(found) > 1e15:
        raise JwtError(f"the token's `{name}` is no time")
    return found


def _decode(segment: str) -> bytes:
    """Base64url in its one canonical form: two texts are not one token."""
    if not _SEGMENT.fullmatch(segment):
        raise JwtError("a part of the token is no base64url without padding")
    try:
        data = urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except (binascii.Error, ValueError):
        raise JwtError("a part of the token is no base64url without padding") from None
    if to_base64url(data) != segment:
        raise JwtError("a part of the token is no base64url in its canonical form")
    return data


def _to_text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise JwtError("a part of the token is no UTF-8") from None


def _parse_object(text: str, what: str) -> dict[str, Any]:
    """An object of JSON, each name once in each object; JwtError otherwise."""
    _check_depth(text, what)
    try:
        found = json.loads(text, object_pairs_hook=_once_each, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise JwtError(f"the token's {what} are no JSON") from None
    if not isinstance(found, dict):
        raise JwtError(f"the token's {what} are no object")
    return found


def _check_depth(text: str, what: str) -> None:
    depth = 0
    for match in _OPENING.finditer(text):
        sign = match[0]
        depth += (sign in "[{") - (sign in "]}")
        if depth > DEEPEST:
            raise JwtError(f"the token's {what} are nested deeper than {DEEPEST}")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    if any(isinstance(value, float) and math.isinf(value) for value in found.values()):
        raise ValueError("a number is too large")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _forged() -> JwtError:
    return JwtError("the token's signature is not that of its key")
