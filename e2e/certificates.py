"""Certificates for tests: authorities, and leaves with whatever names are asked for."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pair:
    """PEM files of a certificate and its key."""

    certificate: Path
    key: Path

    def to_client(self) -> ssl.SSLContext:
        """TLS of a client that shows this certificate and verifies nothing."""
        context = plain_client()
        context.load_cert_chain(self.certificate, self.key)
        return context


def plain_client() -> ssl.SSLContext:
    """TLS of a client without a certificate; it verifies nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Authority:
    """A CA of our own in a folder: a root, or below `above`, where its leaves are given its certificate too.

    `constraints` are names that a CA below another may speak for (RFC 5280 section 4.2.1.10).
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        above: Authority | None = None,
        constraints: x509.NameConstraints | None = None,
    ) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer = above or self
        builder = signer._builder(self._name, self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        if constraints is not None:
            builder = builder.add_extension(constraints, critical=True)
        self.file = folder / f"{name}.pem"
        signed = builder.sign(signer._key, hashes.SHA256()).public_bytes(Encoding.PEM)
        self.file.write_bytes(signed)
        self._chain: bytes = signed + above._chain if above is not None else b""

    def issue(
        self,
        name: str,
        sans: list[x509.GeneralName],
        *,
        subject: str = "leaf",
        since: timedelta = -DAY,
        until: timedelta = DAY,
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH,
        more: tuple[x509.ObjectIdentifier, ...] = (),
    ) -> Pair:
        """A leaf with these names, valid between two points in time relative to now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
        builder = self._builder(subject_name, key.public_key(), since=since, until=until)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage, *more]), critical=False)
        if sans:
            builder = builder.add_extension(x509.SubjectAlternativeName(sans), critical=False)
        pair = Pair(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        leaf = builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)
        pair.certificate.write_bytes(leaf + self._chain)
        pair.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return pair

    def _builder(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        *,
        since: timedelta = -DAY,
        until: timedelta = DAY,
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + since)
            .not_valid_after(now + until)
        )
