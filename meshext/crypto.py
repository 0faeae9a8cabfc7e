"""Signatures with public keys, because Python's standard library has none.

Only what signed tokens need (RFC 7518 section 3, RFC 8037 section 3.1): RS256, ES256 and EdDSA.
`cryptography` is imported at the first call, so that importing meshext stays quick.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

Algorithm = Literal["RS256", "ES256", "EdDSA"]
Verify = Callable[[bytes, bytes], None]  # (message, signature); raises InvalidSignature

MIN_RSA_BITS = 2048  # RFC 7518 section 3.3
ES256_BYTES = 64  # r and s, 32 bytes each, big endian: RFC 7518 section 3.4


def verify_signature(
    algorithm: Algorithm, public_key_pem: str | bytes, message: bytes, signature: bytes
) -> bool:
    """Whether `signature` is that of `message` by the owner of the public key.

    - RS256: RSASSA-PKCS1-v1_5 with SHA-256, keys of at least 2048 bits.
    - ES256: ECDSA on P-256 with SHA-256; the signature is r and s side by side (64 bytes), as in a JWS,
      not the ASN.1 form that `openssl dgst -sign` writes.
    - EdDSA: Ed25519.

    The algorithm is the caller's choice and must fit the key: never take it from the token alone.
    False for a signature that does not fit, whatever its length. ValueError where the algorithm is
    unknown, the key is no PEM public key, is weak, or is of another algorithm. TypeError where message
    or signature are not bytes. Parsed keys are remembered.
    """
    _check_bytes("message", message)
    _check_bytes("signature", signature)
    verify = _load(algorithm, public_key_pem)
    from cryptography.exceptions import InvalidSignature

    try:
        verify(message, signature)
    except InvalidSignature:
        return False
    return True


def _check_bytes(name: str, value: object) -> None:
    if not isinstance(value, bytes):
        raise TypeError(f"{name} is {type(value).__name__}; write bytes, of text {name}.encode()")


@lru_cache(maxsize=256)
def _load(algorithm: str, pem: str | bytes) -> Verify:
    build = BUILDERS.get(algorithm)
    if build is None:
        raise ValueError(f"algorithm {algorithm!r} is unknown; write one of {', '.join(BUILDERS)}")
    return build(_parse_key(pem))


def _parse_key(pem: str | bytes) -> PublicKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    data = pem.encode("utf-8", "replace") if isinstance(pem, str) else pem
    try:
        return load_pem_public_key(data)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(
            f"{_described(data)} is not a PEM public key; write '-----BEGIN PUBLIC KEY-----' and so on"
            " (openssl pkey -pubout makes one of a private key, openssl x509 -pubkey -noout of a certificate)"
        ) from None


def _described(data: bytes) -> str:
    # Never more of it: people paste private keys here, and the text ends in a log.
    first = data.lstrip().split(b"\n", 1)[0].strip()
    if first.startswith(b"-----BEGIN ") and first.endswith(b"-----") and len(first) < 60:
        return f"what begins {first.decode('ascii', 'replace')!r}"
    return f"the {len(data)} bytes given"


def _build_rs256(key: PublicKeyTypes) -> Verify:
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA256

    if not isinstance(key, RSAPublicKey):
        raise _other_key("RS256", "an RSA key", key)
    if key.key_size < MIN_RSA_BITS:
        raise ValueError(
            f"RS256: an RSA key of {key.key_size} bits is weak; write one of {MIN_RSA_BITS} bits or more"
        )
    rsa = key

    def verify(message: bytes, signature: bytes) -> None:
        rsa.verify(signature, message, padding.PKCS1v15(), SHA256())

    return verify


def _build_es256(key: PublicKeyTypes) -> Verify:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _other_key("ES256", "a P-256 key", key)
    point = key

    def verify(message: bytes, signature: bytes) -> None:
        if len(signature) != ES256_BYTES:
            raise InvalidSignature
        half = ES256_BYTES // 2
        r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
        point.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))

    return verify


def _build_eddsa(key: PublicKeyTypes) -> Verify:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if not isinstance(key, Ed25519PublicKey):
        raise _other_key("EdDSA", "an Ed25519 key", key)
    edwards = key

    def verify(message: bytes, signature: bytes) -> None:
        edwards.verify(signature, message)

    return verify


def _other_key(algorithm: str, wanted: str, key: PublicKeyTypes) -> ValueError:
    curve = getattr(key, "curve", None)
    kind = curve.name if curve is not None else type(key).__name__.removesuffix("PublicKey").lstrip("_")
    return ValueError(
        f"{algorithm} needs {wanted}, but the key given is {kind}; write the key it was made with"
    )


BUILDERS: Mapping[str, Callable[[PublicKeyTypes], Verify]] = {
    "RS256": _build_rs256,
    "ES256": _build_es256,
    "EdDSA": _build_eddsa,
}
