"""Makes a key for demonstrations: writes its public half to demo_keys.json, prints tokens, forgets it.

python make_tokens.py
"""

import base64
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

FAR = 4102444800  # 2100-01-01; real tokens live for minutes
PAST = 1000000000
CLAIMS = {"iss": "https://issuer.example", "aud": "reports", "exp": FAR}
KEY_ID = "for-demonstrations-only"


def encode(data: bytes) -> str:
    """Base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(key: ec.EllipticCurvePrivateKey, claims: dict[str, object]) -> str:
    """A token signed by ES256 (RFC 7518 section 3.4)."""
    header = {"alg": "ES256", "typ": "JWT", "kid": KEY_ID}
    text = ".".join(encode(json.dumps(part).encode()) for part in (header, claims))
    r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(SHA256())))
    return f"{text}.{encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def main() -> None:
    """A new key and a token for each of the calls."""
    key = ec.generate_private_key(ec.SECP256R1())
    point = key.public_key().public_numbers()
    x, y = encode(point.x.to_bytes(32, "big")), encode(point.y.to_bytes(32, "big"))
    public = {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": KEY_ID, "x": x, "y": y}
    Path(__file__).with_name("demo_keys.json").write_text(json.dumps({"keys": [public]}, indent=2) + "\n")
    examples: dict[str, dict[str, object]] = {
        "ann reads": {"sub": "ann", "roles": ["reader"]},
        "bob reads and edits": {"sub": "bob", "roles": ["reader", "editor"]},
        "ann, expired": {"sub": "ann", "roles": ["reader"], "exp": PAST},
    }
    for name, claims in examples.items():
        print(f"{name}: {sign(key, {**CLAIMS, **claims})}")  # noqa: T201  # a script


if __name__ == "__main__":
    main()
