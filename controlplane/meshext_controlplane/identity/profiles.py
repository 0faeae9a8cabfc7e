"""What our certificates look like (RFC 5280, X.509-SVID): a root, an issuing authority, a workload's SVID."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from meshext_controlplane.identity.keys import PrivateKey, PublicKey
from meshext_controlplane.model.spiffe import SpiffeId

SKEW = timedelta(minutes=65)
"""How far behind ours a peer's clock may be: certificates are valid from that long before they were made.

An hour is what a clock that was set to another time zone is off. It gives nobody anything: the key is new.
"""

ROOT_LIFE = timedelta(days=3650)
ISSUING_LIFE = timedelta(days=365)
SVID_LIFE = timedelta(hours=24)
SHORTEST_LIFE = timedelta(minutes=1)


def build_root(key: PrivateKey, trust_domain: str, *, now: datetime) -> x509.Certificate:
    """A self-signed root for a trust domain."""
    name = _name(trust_domain, "root")
    builder = _builder(name, name, key.public_key(), now, now + ROOT_LIFE)
    return _as_authority(builder, key, trust_domain, path_length=1)


def build_issuing(
    key: PublicKey,
    trust_domain: str,
    *,
    root: x509.Certificate,
    root_key: PrivateKey,
    now: datetime,
    name: x509.Name | None = None,
) -> x509.Certificate:
    """The authority that signs workloads' certificates, below a root; `name` is that of the one it renews."""
    until = min(now + ISSUING_LIFE, root.not_valid_after_utc)
    builder = _builder(name or _name(trust_domain, "issuing"), root.subject, key, now, until)
    builder = builder.add_extension(_authority_key(root), critical=False)
    return _as_authority(builder, root_key, trust_domain, path_length=0)


def build_svid(
    key: PublicKey,
    identity: SpiffeId,
    *,
    issuer: x509.Certificate,
    issuer_key: PrivateKey,
    now: datetime,
    life: timedelta,
    dns_names: Sequence[str] = (),
) -> x509.Certificate:
    """A workload's certificate: the identity as its URI, an empty subject, for TLS on both sides.

    It never outlives its issuer. `dns_names` are for the control plane itself.
    """
    until = min(now + life, issuer.not_valid_after_utc)
    names = [x509.UniformResourceIdentifier(str(identity)), *map(x509.DNSName, dns_names)]
    usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    skew = min(SKEW, life / 10)  # or half of a short life would be over when it begins
    builder = _builder(x509.Name([]), issuer.subject, key, now, until, skew=skew)
    return (
        builder.add_extension(x509.SubjectAlternativeName(names), critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        .add_extension(_authority_key(issuer), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def build_crl(
    serials: Sequence[tuple[int, datetime]],
    *,
    issuer: x509.Certificate,
    issuer_key: PrivateKey,
    now: datetime,
    number: int,
) -> x509.CertificateRevocationList:
    """The serial numbers of an issuer that peers refuse, each with the time of its ban.

    It is valid as long as the issuer: one that expired would end every handshake while the control plane is
    away. It begins a day ago, so that a peer whose clock is behind takes it, as it does older certificates.
    """
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(max(now - timedelta(days=1), issuer.not_valid_before_utc))
        .next_update(issuer.not_valid_after_utc)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(_authority_key(issuer), critical=False)
    )
    for serial, since in serials:
        revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since)
        builder = builder.add_revoked_certificate(revoked.build())
    return builder.sign(issuer_key, hashes.SHA256())


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: PublicKey,
    now: datetime,
    until: datetime,
    *,
    skew: timedelta = SKEW,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - skew)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _as_authority(
    builder: x509.CertificateBuilder,
    signer: PrivateKey,
    trust_domain: str,
    *,
    path_length: int,
) -> x509.Certificate:
    uri = x509.UniformResourceIdentifier(f"spiffe://{trust_domain}")
    return (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectAlternativeName([uri]), critical=False)
        .sign(signer, hashes.SHA256())
    )


def _authority_key(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    try:
        own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())  # type: ignore[arg-type]
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _key_usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _name(trust_domain: str, role: str) -> x509.Name:
    text = f"{trust_domain} {role}"[:64]  # RFC 5280: ub-common-name
    number = f"{x509.random_serial_number() >> 95:016x}"  # two authorities never have one name
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, text),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, number),
        ]
    )
