"""Private keys that we make, and how public keys are named."""

from __future__ import annotations

import hashlib

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key for a certificate: P-256, which every TLS library takes."""
    return ec.generate_private_key(ec.SECP256R1())


def to_pkcs8(key: PrivateKey, encoding: Encoding = Encoding.DER) -> bytes:
    """The private key without encryption, to be sealed or handed to TLS."""
    return key.private_bytes(encoding, PrivateFormat.PKCS8, NoEncryption())


def key_id(key: PublicKey) -> bytes:
    """SHA-256 of the SubjectPublicKeyInfo."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()


def to_der(certificate: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    """A certificate or a CRL in DER."""
    return certificate.public_bytes(Encoding.DER)


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a certificate's DER, as lower-case hexadecimal."""
    return hashlib.sha256(certificate).hexdigest()
