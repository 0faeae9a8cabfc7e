"""A workload's key and certificate (X.509-SVID), and the roots that it trusts: checked, and as PEM."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from meshext_controlplane.agent.errors import SvidError
from meshext_controlplane.identity.errors import JwtError
from meshext_controlplane.identity.jwt_checking import read_public_key
from meshext_controlplane.identity.jwt_svid import JwtKey
from meshext_controlplane.model.spiffe import SpiffeId, SpiffeIdError
from meshext_proto.meshext import svids_pb2

Key = ec.EllipticCurvePrivateKey

SKEW = timedelta(minutes=2)
"""How far the clocks of the control plane and of this machine may be apart when a certificate comes."""


def make_key() -> Key:
    """A fresh key on P-256, which every Envoy and every gRPC takes."""
    return ec.generate_private_key(ec.SECP256R1())


def key_to_pem(key: Key) -> bytes:
    """The key as PKCS #8, not encrypted: it belongs into files of mode 0600 only."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def key_from_pem(text: bytes) -> Key:
    """A key that we wrote; SvidError where it is none."""
    try:
        key = serialization.load_pem_private_key(text, None)
    except (ValueError, TypeError):
        raise SvidError("the stored key is damaged") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SvidError("the stored key is not one on an elliptic curve")
    return key


def build_csr(key: Key) -> bytes:
    """A request for a certificate, DER (PKCS #10). It names nobody: who we are is not ours to say."""
    request = x509.CertificateSigningRequestBuilder(subject_name=x509.Name([]))
    return request.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


@dataclass(frozen=True)
class Svid:
    """What a workload shows to its peers, and whom it believes.

    `chain` has the leaf first and no root, `roots` every root of the mesh, `revocations` X.509 CRLs; all
    are DER. Tokens are believed by `jwt_keys`, unless they are of `banned` SPIFFE IDs. Made by `check_svid`.
    Prints without the key.
    """

    identity: SpiffeId
    key: Key = field(repr=False)
    chain: tuple[bytes, ...] = field(repr=False)
    roots: tuple[bytes, ...] = field(repr=False)
    revocations: tuple[bytes, ...] = field(repr=False)
    not_before: datetime
    not_after: datetime
    jwt_keys: tuple[JwtKey, ...] = field(default=(), repr=False)
    banned: tuple[str, ...] = field(default=(), repr=False)

    @cached_property
    def key_pem(self) -> bytes:
        """The private key."""
        return key_to_pem(self.key)

    @cached_property
    def chain_pem(self) -> bytes:
        """The certificates, leaf first."""
        return b"".join(map(_certificate_to_pem, self.chain))

    @cached_property
    def roots_pem(self) -> bytes:
        """The roots."""
        return b"".join(map(_certificate_to_pem, self.roots))

    @cached_property
    def revocations_pem(self) -> bytes:
        """The CRLs."""
        lists = map(x509.load_der_x509_crl, self.revocations)
        return b"".join(each.public_bytes(Encoding.PEM) for each in lists)

    @cached_property
    def is_banned(self) -> bool:
        """Whether it is on a list of its own mesh, or its identity is banned as a whole."""
        serial = x509.load_der_x509_certificate(self.chain[0]).serial_number
        lists = map(x509.load_der_x509_crl, self.revocations)
        return str(self.identity) in self.banned or any(
            each.get_revoked_certificate_by_serial_number(serial) is not None for each in lists
        )

    def seconds_left(self, now: datetime) -> float:
        """How long it is still valid; negative once it has expired."""
        return (self.not_after - now).total_seconds()

    def trusting(self, trust: svids_pb2.Trust) -> Self:
        """The same, that believes these roots and lists; SvidError where one is damaged."""
        if not trust.roots:
            raise SvidError("the control plane sent no root")
        for root in trust.roots:
            _parse_certificate(root)
        _check_lists(trust.revocations)
        return replace(
            self,
            roots=tuple(trust.roots),
            revocations=tuple(trust.revocations),
            jwt_keys=_usable(trust.jwt_keys),
            banned=tuple(trust.banned),
        )

    def to_message(self) -> svids_pb2.Svid:
        """As it came over the wire."""
        return svids_pb2.Svid(
            spiffe_id=str(self.identity),
            chain=self.chain,
            roots=self.roots,
            revocations=self.revocations,
            jwt_keys=[svids_pb2.JwtKey(id=each.id, public=each.public) for each in self.jwt_keys],
            banned=self.banned,
        )

    @classmethod
    def from_message(cls, message: svids_pb2.Svid, key: Key) -> Self:
        """See `check_svid`, which calls this with what it has checked."""
        leaf = _parse_certificate(message.chain[0])
        return cls(
            identity=SpiffeId.parse(message.spiffe_id),
            key=key,
            chain=tuple(message.chain),
            roots=tuple(message.roots),
            revocations=tuple(message.revocations),
            not_before=leaf.not_valid_before_utc,
            not_after=leaf.not_valid_after_utc,
            jwt_keys=_usable(message.jwt_keys),
            banned=tuple(message.banned),
        )


def check_svid(message: svids_pb2.Svid, key: Key, *, now: datetime | None = None) -> Svid:
    """The SVID of a message, made sure to be one that works with `key` now.

    SvidError: no or a damaged certificate, another key, not exactly one identity, no root that vouches for
    it, expired or not yet valid.
    """
    moment = now or datetime.now(UTC)
    if not message.chain or not message.roots:
        raise SvidError("the control plane sent no certificate or no root")
    chain = [_parse_certificate(each) for each in message.chain]
    roots = [_parse_certificate(each) for each in message.roots]
    _check_lists(message.revocations)
    _check_leaf(chain[0], message.spiffe_id, key)
    _check_signatures(chain, roots)
    svid = Svid.from_message(message, key)
    if svid.not_after <= moment:
        raise SvidError(
            f"the certificate of {svid.identity} expired at {svid.not_after:%F %T} UTC, and it is"
            f" {moment:%F %T} here"
        )
    if svid.not_before > moment + SKEW:
        raise SvidError(
            f"the certificate of {svid.identity} is valid from {svid.not_before:%F %T} UTC, and it is"
            f" {moment:%F %T} here: set this machine's clock, or the control plane's"
        )
    return svid


def _check_leaf(leaf: x509.Certificate, claimed: str, key: Key) -> None:
    ours = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != ours:
        raise SvidError("the certificate is for another key")
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    except (x509.ExtensionNotFound, ValueError):
        uris = []
    if uris != [claimed]:
        raise SvidError(f"the certificate names {uris[:3]}, and the control plane says {claimed[:80]!r}")
    try:
        SpiffeId.parse(claimed)
    except SpiffeIdError as error:
        raise SvidError(str(error)) from None


def _check_signatures(chain: list[x509.Certificate], roots: list[x509.Certificate]) -> None:
    for lower, upper in pairwise(chain):
        if not _has_signed(upper, lower):
            raise SvidError("the certificates do not form a chain")
    if not any(_has_signed(root, chain[-1]) for root in roots):
        raise SvidError("no root of the mesh vouches for the certificate")


def _has_signed(upper: x509.Certificate, lower: x509.Certificate) -> bool:
    try:
        lower.verify_directly_issued_by(upper)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _check_lists(lists: Iterable[bytes]) -> None:
    try:
        for each in lists:
            x509.load_der_x509_crl(each)
    except ValueError:
        raise SvidError("a list of revoked certificates is damaged") from None


def _parse_certificate(der: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError:
        raise SvidError("a certificate is damaged") from None


def _usable(keys: Iterable[svids_pb2.JwtKey]) -> tuple[JwtKey, ...]:
    """Those that we can check with: a later control plane may sign with others beside them."""
    found = []
    for each in (JwtKey(key.id, key.public) for key in keys):
        with suppress(JwtError):
            read_public_key(each)
            found.append(each)
    return tuple(found)


def _certificate_to_pem(der: bytes) -> bytes:
    return _parse_certificate(der).public_bytes(Encoding.PEM)
