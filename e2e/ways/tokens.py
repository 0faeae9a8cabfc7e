"""Tokens of issuers that are believed, and of whoever wants to be, by the name that tries know them by."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from e2e.ways.keys import FAILING
from e2e.ways.policy import TRUSTED_ISSUERS

DEPTHS = (20, 60, 99, 101, 1_000, 4_000)
"""How deep the claims of a token are nested; protobuf's own limit is 100."""

Claims = dict[str, Any]


def encode(data: bytes) -> str:
    """Base64 as tokens have it (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes of such a text."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def for_ann(issuer: str, subject: str = "ann", **more: Any) -> Claims:
    """Claims that would let in, if they were believed."""
    return {"iss": f"https://{issuer}.test", "sub": subject, "exp": int(time.time()) + 3600, **more}


def join(header: Mapping[str, Any], claims: Claims | bytes) -> str:
    """What is signed."""
    body = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return f"{encode(json.dumps(header).encode())}.{encode(body)}"


class Issuer:
    """Somebody who signs tokens (ES256)."""

    def __init__(self, kid: str = "") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.kid = kid

    @property
    def jwk(self) -> dict[str, str]:
        """The public key (RFC 7517)."""
        point = self.key.public_key().public_numbers()
        x, y = (encode(number.to_bytes(32, "big")) for number in (point.x, point.y))
        kid = {"kid": self.kid} if self.kid else {}
        return {"kty": "EC", "crv": "P-256", "alg": "ES256", "x": x, "y": y, **kid}

    def jwks(self) -> str:
        """The key set with it."""
        return json.dumps({"keys": [self.jwk]})

    def sign(self, text: str) -> bytes:
        """The signature, r and s."""
        r, s = decode_dss_signature(self.key.sign(text.encode(), ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def token(self, issuer: str, subject: str) -> str:
        """A token for a subject, in an issuer's name."""
        return self.signed({"iss": issuer, "sub": subject, "exp": int(time.time()) + 3600})

    def signed(self, claims: Claims | bytes, **header: Any) -> str:
        """A token with these claims; `header` is more of its header."""
        text = join({"alg": "ES256", **header}, claims)
        return f"{text}.{encode(self.sign(text))}"


class RsaIssuer:
    """Somebody whose public key is RSA, which a careless reader takes for a secret of HMAC."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)

    @property
    def jwk(self) -> dict[str, str]:
        """The public key."""
        numbers = self.key.public_key().public_numbers()
        n, e = numbers.n.to_bytes(256, "big"), numbers.e.to_bytes(3, "big")
        return {"kty": "RSA", "alg": "RS256", "n": encode(n), "e": encode(e)}

    def signed(self, claims: Claims, **header: Any) -> str:
        """A token with these claims."""
        text = join({"alg": "RS256", **header}, claims)
        return f"{text}.{encode(self.key.sign(text.encode(), padding.PKCS1v15(), SHA256()))}"

    def secrets(self) -> Iterator[tuple[str, bytes]]:
        """Texts of the public key that a reader may take for the secret."""
        public = self.key.public_key()
        form = PublicFormat.SubjectPublicKeyInfo
        yield "pem", public.public_bytes(Encoding.PEM, form)
        yield "der", public.public_bytes(Encoding.DER, form)
        yield "modulus", self.jwk["n"].encode()
        yield "jwk", json.dumps(self.jwk).encode()


def unsigned(issuer: str, subject: str, alg: str = "none") -> str:
    """A token that nobody has signed."""
    return f"{join({'alg': alg}, {'iss': issuer, 'sub': subject, 'exp': int(time.time()) + 3600})}."


def keyed(claims: Claims, secret: bytes, **header: Any) -> str:
    """A token by HMAC (HS256)."""
    text = join({"alg": "HS256", **header}, claims)
    return f"{text}.{encode(hmac.digest(secret, text.encode(), 'sha256'))}"


@dataclass(slots=True)
class Issuers:
    """Whom a listener believes, and one whom it does not; `attacker` is where that one's keys are."""

    attacker: str = ""
    a: Issuer = field(default_factory=Issuer)
    b: Issuer = field(default_factory=lambda: Issuer("b"))
    rsa: RsaIssuer = field(default_factory=RsaIssuer)
    mallory: Issuer = field(default_factory=lambda: Issuer("m"))

    def tokens(self) -> dict[str, str]:
        """Every token by the name that tries know it by."""
        return {
            "genuine": self.b.token("https://b.test", "ann"),
            "of-a": self.a.token("https://a.test", "ann"),
            "a-signs-for-b": self.a.token("https://b.test", "ann"),
            "unknown": self.a.token("https://c.test", "ann"),
            "none": unsigned("https://b.test", "ann"),
            **self._without_keys(),
            **self._of_another_kind(),
            **self._changed(),
            **{f"deep-{depth}": self.b.signed(nested(depth)) for depth in DEPTHS},
        }

    def _without_keys(self) -> dict[str, str]:
        """In the name of issuers whose keys can not be had."""
        found = {}
        for name in FAILING:
            found[f"{name}-mallory"] = self.mallory.signed(for_ann(name), kid="m")
            found[f"{name}-none"] = unsigned(f"https://{name}.test", "ann")
            found[f"{name}-blank"] = keyed(for_ann(name), b"")
        return found

    def _of_another_kind(self) -> dict[str, str]:
        """Whose header says something else than the key is, or where another key is to be had."""
        mine, m = for_ann("b"), self.mallory
        named = {
            "crit": self.b.signed(mine, crit=["must-know"], **{"must-know": 1}),
            "unencoded": self.b.signed(mine, crit=["b64"], b64=False),
            "rs-named": self._renamed("RS256"),
            "es384-named": self._renamed("ES384"),
            "no-alg": f"{join({}, mine)}.{encode(m.sign('x'))}",
            "kid-of-b": m.signed(mine, kid="b"),
            "kid-path": keyed(mine, b"", kid="../../../../dev/null"),
            "kid-sql": m.signed(mine, kid="x' UNION SELECT 'key"),
            "jwk-inside": m.signed(mine, jwk=m.jwk),
            "x5c": m.signed(mine, x5c=[encode(b"x")]),
            "ec-as-secret": keyed(mine, self.b.jwk["x"].encode(), kid="b"),
            "jku": m.signed(mine, jku=f"{self.attacker}/attacker", kid="m"),
            "x5u": m.signed(mine, x5u=f"{self.attacker}/attacker", kid="m"),
            "issuer-url": m.signed({**mine, "iss": f"{self.attacker}/attacker"}, kid="m"),
        }
        for alg in ("None", "NONE", "nOnE", ""):
            named[f"none-{alg}"] = unsigned("https://b.test", "ann", alg)
        for name, secret in self.rsa.secrets():
            named[f"hs-{name}"] = keyed(for_ann("rsa"), secret)
        return named

    def _renamed(self, alg: str) -> str:
        """Signed by the right key, in the name of another algorithm."""
        text = join({"alg": alg, "kid": "b"}, for_ann("b"))
        return f"{text}.{encode(self.b.sign(text))}"

    def _changed(self) -> dict[str, str]:
        """Bob's, made Ann's; none of these is what was signed."""
        head, body, signature = self.b.signed(for_ann("b", "bob"), kid="b").split(".")
        ann = encode(json.dumps(for_ann("b")).encode())
        both = decode(body)[:-1] + b', "sub": "ann"}'
        r, s = decode(signature)[:32], decode(signature)[32:]
        der = b"\x30\x44\x02\x20" + r + b"\x02\x20" + s
        cookie = {"iss": "https://cookie.test", "exp": int(time.time()) + 3600}
        return {
            "changed": f"{head}.{ann}.{signature}",
            "twice-sub": f"{head}.{encode(both)}.{signature}",
            "zeros": f"{head}.{ann}.{encode(bytes(64))}",
            "no-signature": f"{head}.{ann}.",
            "two-parts": f"{head}.{ann}",
            "five-parts": f"{head}.{body}.{signature}.{ann}.{signature}",
            "payload-first": f"{head}.{ann}.{body}.{signature}",
            "in-der": f"{head}.{ann}.{encode(der)}",
            "long-signature": f"{head}.{ann}.{signature}{encode(bytes(32))}",
            "expired": self.b.signed(for_ann("b", exp=int(time.time()) - 3600)),
            "early": self.b.signed(for_ann("b", nbf=int(time.time()) + 3600)),
            "exp-text": self.b.signed(for_ann("b", "bob", exp="never")),
            "sub-list": self.b.signed(for_ann("b", ["ann"])),  # type: ignore[arg-type]  # as a claim may be
            "iss-slash": self.b.signed({**for_ann("b", "x"), "sub": "bob/ann"}),
            "cookie-forged": self.mallory.signed({**cookie, "sub": "ann"}),
            "cookie-none": unsigned("https://cookie.test", "ann"),
            "cookie-of-bob": self.b.signed({**cookie, "sub": "bob"}),
        }

    def rules(self, keys: str) -> list[dict[str, Any]]:
        """The rules of a RequestAuthentication that believes them; `keys` is where keys are fetched."""
        held = {"a": [self.a.jwk], "b": [self.b.jwk], "rsa": [self.rsa.jwk]}
        rules: list[dict[str, Any]] = [
            {
                "issuer": f"https://{name}.test",
                "jwks": json.dumps({"keys": found}),
                "forwardOriginalToken": True,
            }
            for name, found in held.items()
        ]
        rules += [
            {
                "issuer": f"https://{name}.test",
                "jwksUri": f"{keys}/{name}",
                "timeout": "0.5s",
                "forwardOriginalToken": True,
            }
            for name in FAILING
        ]
        cookie = {"issuer": "https://cookie.test", "jwks": self.b.jwks(), "fromCookies": ["session"]}
        return [*rules, {**cookie, "forwardOriginalToken": True}]


def nested(depth: int) -> bytes:
    """Claims of Bob's, one of them so deep."""
    deep = '{"a":' * depth + "1" + "}" * depth
    head = json.dumps(for_ann("b", "bob"))[:-1]
    return f'{head}, "deep": {deep}}}'.encode()


assert {f"https://{name}.test" for name in (*FAILING, "b", "rsa", "cookie")} == set(TRUSTED_ISSUERS)
