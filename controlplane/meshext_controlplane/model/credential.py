"""What a Secret holds for TLS: a certificate with its key, authorities, revoked certificates. As PEM.

Both of Istio's forms are known: `tls.crt`, `tls.key`, `ca.crt`, `ca.crl`, and `cert`, `key`, `cacert`, `crl`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from meshext.errors import MeshextError

SUFFIX = "-cacert"
"""A Secret NAME-cacert holds the authorities of NAME, where that has none itself."""

SHORTEST_RSA = 2048  # bits
_CURVES = ("secp256r1", "secp384r1", "secp521r1")  # what BoringSSL takes for TLS

Entries = Mapping[str, bytes]


class CredentialError(MeshextError, ValueError):
    """What a Secret holds is no certificate, or no key for it; never shows any of it."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate with those of the authorities above it, and its private key."""

    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Authorities:
    """Whose certificates are believed, and which of those are revoked (b"" for none)."""

    certificates: bytes
    revoked: bytes = b""


def parse_pair(entries: Entries) -> Pair | None:
    """The certificate and its key; None where neither is there, CredentialError where they do not fit."""
    certificate, key = _find(entries, ("tls.crt", "cert")), _find(entries, ("tls.key", "key"))
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise CredentialError("tls.crt and tls.key go together; one is not there")
    if _public_of_key(key[1], key[0]) != _public_of_certificate(certificate[1], certificate[0]):
        raise CredentialError(f"{key[0]} is not the key of the first certificate in {certificate[0]}")
    return Pair(certificate[1], key[1])


def parse_authorities(entries: Entries) -> Authorities | None:
    """The authorities; None where there are none, CredentialError where they can not be read."""
    found, revoked = _find(entries, ("ca.crt", "cacert")), _find(entries, ("ca.crl", "crl"))
    if found is None:
        return None
    _certificates(found[1], found[0])
    if revoked is None:
        return Authorities(found[1])
    try:
        x509.load_pem_x509_crl(revoked[1])
    except ValueError:
        raise CredentialError(f"{revoked[0]} holds no list of revoked certificates in PEM") from None
    return Authorities(found[1], revoked[1])


def _find(entries: Entries, names: Sequence[str]) -> tuple[str, bytes] | None:
    return next(((name, entries[name]) for name in names if entries.get(name)), None)


def _certificates(text: bytes, name: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(text)
    except ValueError:
        raise CredentialError(f"{name} holds no certificate in PEM") from None


def _public_of_certificate(text: bytes, name: str) -> bytes:
    leaf = _certificates(text, name)[0]
    try:
        return leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        raise CredentialError(f"the first certificate in {name} has a key of an unknown kind") from None


def _public_of_key(text: bytes, name: str) -> bytes:
    try:
        key = load_pem_private_key(text, password=None)
    except TypeError:
        raise CredentialError(
            f"{name} is encrypted with a password, which a gateway can not ask for"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise CredentialError(f"{name} holds no private key in PEM") from None
    fits = isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES
    if isinstance(key, rsa.RSAPrivateKey):
        fits = key.key_size >= SHORTEST_RSA
    if not fits:
        told = f"{name} is neither RSA of {SHORTEST_RSA} bits or more nor ECDSA of P-256, P-384 or P-521"
        raise CredentialError(told)
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
