"""Tokens as no honest signer makes them."""

from __future__ import annotations

import json
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from meshext_controlplane.identity.jwt_svid import JwtKey, to_base64url

NOW = 1_800_000_000
SUBJECT = "spiffe://shop.example/ns/shop/sa/web"
CLAIMS: dict[str, Any] = {"aud": ["orders"], "exp": NOW + 300, "iat": NOW, "sub": SUBJECT}


class Signer:
    """A key with its name, which signs whatever it is given."""

    def __init__(self, name: str = "k1") -> None:
        self.name = name
        self.key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public(self) -> JwtKey:
        spki = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return JwtKey(self.name, spki)

    def sign(self, header: object = None, claims: object = None) -> str:
        """A token with this header and these claims: bytes and text as they are, other things as JSON."""
        given = {"alg": "ES256", "kid": self.name, "typ": "JWT"} if header is None else header
        signed = f"{encode(given)}.{encode(CLAIMS if claims is None else claims)}"
        return f"{signed}.{to_base64url(self.signature(signed))}"

    def signature(self, signed: str) -> bytes:
        r, s = decode_dss_signature(self.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def encode(value: object) -> str:
    """A part of a token."""
    if isinstance(value, bytes):
        return to_base64url(value)
    return to_base64url((value if isinstance(value, str) else json.dumps(value)).encode())
