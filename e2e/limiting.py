"""The policy rate-limit on stage, and tokens of issuers of our own."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from e2e.inside import embedded
from e2e.stage import FILTERS, Stage
from meshext.config import Document
from meshext.envoy.jwt import Jwt, parse_jwt
from meshext.sandbox import Setup

FAR = 4_102_444_800  # 2100-01-01


@contextmanager
def limiting(config: dict[str, Any], **options: Any) -> Iterator[Stage]:
    """A stage with that configuration; in the mode wasm inside of Envoy."""
    setup = Setup(specs=(str(FILTERS / "unhurried.py"),), configs=(json.dumps(config),), **options)
    stage = Stage(embedded(replace(setup, specs=("rate-limit",))) if setup.mode == "wasm" else setup)
    try:
        yield stage
    finally:
        stage.close()


def slow(rate: int, **more: Any) -> dict[str, Any]:
    """A limit that gives back nothing while a test lasts, and has no edges of windows to fall into."""
    return {"rate": rate, "per": "300d", "algorithm": "gcra", **more}


class Issuer:
    """Who signs tokens with a key made here (ES256, RFC 7518 section 3.4)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._key = ec.generate_private_key(ec.SECP256R1())

    def token(self, **claims: object) -> str:
        """A token that Envoy believes for this provider."""
        head = {"alg": "ES256", "typ": "JWT", "kid": self.name}
        told = {"iss": f"https://{self.name}.test", "exp": FAR, **claims}
        text = ".".join(encode(json.dumps(part).encode()) for part in (head, told))
        r, s = decode_dss_signature(self._key.sign(text.encode(), ec.ECDSA(SHA256())))
        return f"{text}.{encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def provider(self) -> dict[str, object]:
        """Its entry in a file for `--jwt`."""
        point = self._key.public_key().public_numbers()
        x, y = (encode(number.to_bytes(32, "big")) for number in (point.x, point.y))
        key = {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.name, "x": x, "y": y}
        return {"issuer": f"https://{self.name}.test", "jwks": {"keys": [key]}}


def believed(*issuers: Issuer) -> Jwt:
    """Envoy's jwt_authn with these providers; a token may be missing."""
    return parse_jwt(Document(json.dumps({"providers": {each.name: each.provider() for each in issuers}})))


def encode(data: bytes) -> str:
    """Base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
