"""JWT-SVIDs: an identity as a token for somebody (JWT-SVID.md; RFC 7515 in its compact form, ES256). Pure."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from meshext_controlplane.identity.errors import AudienceError

ALGORITHM = "ES256"
"""What we sign with, and the only thing that we believe: no other key of the mesh signs tokens."""

LIFE = 300
"""Seconds that a token is valid for. Who has it can be whom it speaks for, towards its audience."""

MOST_AUDIENCES = 16
LONGEST_AUDIENCE = 512  # bytes in UTF-8
_HALF = 32  # bytes of r and of s: RFC 7518, section 3.4


@dataclass(frozen=True, slots=True)
class JwtKey:
    """What a token is checked with: `public` is a SubjectPublicKeyInfo in DER, `id` its name in tokens."""

    id: str
    public: bytes


def check_audiences(audiences: Sequence[str]) -> tuple[str, ...]:
    """Whom a token may be for, each once; AudienceError where they are none, too many, or no names."""
    found = tuple(dict.fromkeys(audiences))
    if not found:
        raise AudienceError("a token needs an audience: name the service that it is for")
    if len(found) > MOST_AUDIENCES:
        raise AudienceError(
            f"a token for {len(found)} audiences can be used by each against all others; ask for"
            f" {MOST_AUDIENCES} at most"
        )
    for each in found:
        if not each or len(each.encode()) > LONGEST_AUDIENCE or not each.isprintable():
            raise AudienceError(
                f"{each[:40]!r} is no audience: write 1 to {LONGEST_AUDIENCE} bytes of printable text"
            )
    return found


def sign_jwt_svid(
    key: ec.EllipticCurvePrivateKey,
    key_id: str,
    *,
    subject: str,
    audiences: Sequence[str],
    issued: int,
    expires: int,
) -> str:
    """The token; times are in seconds since 1970."""
    header = {"alg": ALGORITHM, "kid": key_id, "typ": "JWT"}
    claims = {"aud": list(audiences), "exp": expires, "iat": issued, "sub": subject}
    signed = f"{_encode(header)}.{_encode(claims)}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    signature = r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")
    return f"{signed}.{to_base64url(signature)}"


def to_base64url(data: bytes) -> str:
    """Without padding: RFC 7515, section 2."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _encode(value: Mapping[str, Any]) -> str:
    return to_base64url(json.dumps(value, separators=(",", ":")).encode())
