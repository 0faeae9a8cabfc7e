"""A certificate authority for tests, which also makes what no honest one would."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from meshext_controlplane.agent.channels import SERVER_NAME
from meshext_controlplane.agent.svid import make_key
from meshext_proto.meshext import svids_pb2

DAY = timedelta(days=1)
PublicKey = ec.EllipticCurvePublicKey


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class Authority:
    """One root."""

    def __init__(self, name: str = "test root") -> None:
        self.key = make_key()
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        builder = self._builder(self.key.public_key(), self._name, now - DAY, now + 365 * DAY)
        self.root = (
            builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    @property
    def der(self) -> bytes:
        return self.root.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.root.public_bytes(Encoding.PEM)

    @property
    def fingerprint(self) -> bytes:
        return hashlib.sha256(self.der).digest()

    def server_pair(self) -> tuple[bytes, bytes]:
        """Key and chain (with the root), PEM, of a control plane."""
        key = make_key()
        leaf = self.leaf(key.public_key(), [x509.DNSName(SERVER_NAME)])
        return pem_of(key), leaf.public_bytes(Encoding.PEM) + self.pem

    def svid(
        self, csr: bytes, identity: str, *, life: timedelta = DAY, age: timedelta = timedelta()
    ) -> svids_pb2.Svid:
        """The answer to a CSR."""
        key = x509.load_der_x509_csr(csr).public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        leaf = self.leaf(key, [x509.UniformResourceIdentifier(identity)], life=life, age=age)
        return svids_pb2.Svid(
            spiffe_id=identity, chain=[leaf.public_bytes(Encoding.DER)], roots=[self.der], revocations=[]
        )

    def leaf(
        self,
        key: PublicKey,
        names: list[x509.GeneralName],
        *,
        life: timedelta = DAY,
        age: timedelta = timedelta(),
    ) -> x509.Certificate:
        start = datetime.now(UTC) - age
        builder = self._builder(key, x509.Name([]), start, start + life)
        both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        return (
            builder.add_extension(x509.SubjectAlternativeName(names), critical=True)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(both), critical=False)
            .sign(self.key, hashes.SHA256())
        )

    def revoke(self, *leaves: bytes) -> bytes:
        """A CRL, DER."""
        now = datetime.now(UTC)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._name)
            .last_update(now - timedelta(minutes=1))
            .next_update(now + DAY)
        )
        for leaf in leaves:
            serial = x509.load_der_x509_certificate(leaf).serial_number
            revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now)
            builder = builder.add_revoked_certificate(revoked.build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def _builder(
        self, key: PublicKey, subject: x509.Name, start: datetime, end: datetime
    ) -> x509.CertificateBuilder:
        ours = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ours), critical=False
            )
        )


def key_of(csr: bytes) -> bytes:
    """The public key of a request, DER."""
    key = x509.load_der_x509_csr(csr).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
