"""What a workload is given: its certificate, and whom it shall trust."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from meshext_controlplane.identity.jwt_svid import JwtKey
from meshext_controlplane.model.spiffe import SpiffeId


@dataclass(frozen=True, slots=True)
class Trust:
    """Roots, and CRLs of the issuers below them, in DER. Equal where nothing has changed.

    `jwt_keys` are what tokens are checked with, `banned` the SPIFFE IDs that have nothing any more.
    """

    roots: tuple[bytes, ...]
    revocations: tuple[bytes, ...]
    jwt_keys: tuple[JwtKey, ...] = ()
    banned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Svid:
    """An X.509-SVID: DER, the leaf first and without the root. `serial` is lower-case hexadecimal."""

    identity: SpiffeId
    serial: str
    chain: tuple[bytes, ...]
    not_before: datetime
    not_after: datetime
    trust: Trust


def to_pem(certificates: tuple[bytes, ...]) -> bytes:
    """Certificates in DER as one text, in the same order."""
    return b"".join(x509.load_der_x509_certificate(each).public_bytes(Encoding.PEM) for each in certificates)
