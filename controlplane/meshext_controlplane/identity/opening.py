"""The authority out of the state, and into it: made once, opened at each start."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_private_key

from meshext_controlplane.identity.authority import CertificateAuthority, Issuer
from meshext_controlplane.identity.clock import Clock, utc_now
from meshext_controlplane.identity.errors import AuthorityError, AuthorityMissing
from meshext_controlplane.identity.keys import PrivateKey, new_key, to_der, to_pkcs8
from meshext_controlplane.identity.profiles import build_issuing, build_root
from meshext_controlplane.identity.sealing import Sealer, check_secret, new_parameters
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.state.authorities import (
    AuthorityRecord,
    Role,
    insert_authority,
    list_authorities,
    next_authority,
    read_setting,
    write_setting,
)
from meshext_controlplane.state.store import StateStore, Transaction

TRUST_DOMAIN = "trust-domain"
SEAL = "seal"


def create_authority(
    store: StateStore, trust_domain: str, *, secret: bytes | None = None, clock: Clock = utc_now
) -> None:
    """Make a root and an issuing authority and keep both; AuthorityError where the state has one already.

    `secret` is a passphrase or the content of a key file: private keys are stored encrypted by it.
    """
    SpiffeId(trust_domain, "default", "default")  # refuses what is no trust domain
    now = clock()
    root_key, issuing_key = new_key(), new_key()
    root = build_root(root_key, trust_domain, now=now)
    issuing = build_issuing(issuing_key, trust_domain, root=root, root_key=root_key, now=now)
    with store.writing() as transaction:
        if list_authorities(transaction):
            raise AuthorityError(f"the state {store.path} has an authority already")
        write_setting(transaction, TRUST_DOMAIN, trust_domain.encode())
        sealer = _new_sealer(transaction, secret)
        keep_authority(transaction, sealer, "root", root, root_key)
        keep_authority(transaction, sealer, "issuing", issuing, issuing_key)


def open_authority(
    store: StateStore, *, secret: bytes | None = None, clock: Clock = utc_now
) -> CertificateAuthority:
    """The authority of the state: AuthorityMissing where there is none, SealError where it does not open."""
    with store.reading() as transaction:
        records = list_authorities(transaction)
        if not records:
            raise AuthorityMissing(f"the state {store.path} holds no certificate authority")
        trust_domain = (read_setting(transaction, TRUST_DOMAIN) or b"").decode()
        sealer = read_sealer(transaction, secret)
    issuers = [open_issuer(sealer, record) for record in records if record.key is not None]
    ids = {record.id for record in records if record.role == "issuing"}
    return CertificateAuthority(
        store,
        trust_domain=trust_domain,
        roots=[x509.load_der_x509_certificate(each.certificate) for each in records if each.role == "root"],
        issuer=[each for each in issuers if each.id in ids][-1],
        signers=issuers,
        clock=clock,
    )


def keep_authority(
    transaction: Transaction,
    sealer: Sealer,
    role: Role,
    certificate: x509.Certificate,
    key: PrivateKey | None,
    *,
    chain: tuple[x509.Certificate, ...] = (),
) -> None:
    """Store one authority with its key, None where an operator keeps that."""
    number = next_authority(transaction)
    sealed = None if key is None else sealer.seal(to_pkcs8(key), seal_name(number))
    record = AuthorityRecord(
        id=number,
        role=role,
        certificate=to_der(certificate),
        chain=b"".join(map(to_der, chain)),
        key=sealed,
    )
    insert_authority(transaction, record)


def open_issuer(sealer: Sealer, record: AuthorityRecord) -> Issuer:
    """An authority whose key is in the state."""
    key = load_der_private_key(sealer.open(record.key or b"", seal_name(record.id)), None)
    if not isinstance(key, PrivateKey):
        raise AuthorityError(f"the key of authority {record.id} is of a kind that is not used")
    return Issuer(
        id=record.id,
        certificate=x509.load_der_x509_certificate(record.certificate),
        chain=(),
        key=key,
    )


def seal_name(number: int) -> str:
    """What an authority's key is sealed with, so that no other row's opens in its place."""
    return f"authority {number}"


def read_sealer(transaction: Transaction, secret: bytes | None) -> Sealer:
    """The sealer of a state that was sealed before."""
    parameters = read_setting(transaction, SEAL)
    if secret is None or parameters is None:
        return Sealer()
    return Sealer.from_secret(check_secret(secret), parameters)


def _new_sealer(transaction: Transaction, secret: bytes | None) -> Sealer:
    if secret is None:
        return Sealer()
    parameters = new_parameters()
    sealer = Sealer.from_secret(check_secret(secret), parameters)
    write_setting(transaction, SEAL, parameters)
    return sealer
