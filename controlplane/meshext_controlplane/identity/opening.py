"""The authority out of the state, and into it: made once, opened at each start."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key

from meshext_controlplane.identity.authority import CertificateAuthority
from meshext_controlplane.identity.brought import Brought
from meshext_controlplane.identity.clock import Clock, utc_now
from meshext_controlplane.identity.errors import AuthorityError, AuthorityMissing
from meshext_controlplane.identity.facts import TRUST_DOMAIN
from meshext_controlplane.identity.issuers import Issuer, Issuers, order_roots
from meshext_controlplane.identity.keys import PrivateKey, fingerprint, new_key, to_der, to_pkcs8
from meshext_controlplane.identity.profiles import build_issuing, build_root
from meshext_controlplane.identity.sealing import Sealer, check_secret, is_plain, new_parameters
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.state.authorities import (
    AuthorityRecord,
    Role,
    insert_authority,
    list_authorities,
    next_authority,
    read_active,
    read_generation,
    replace_key,
    write_active,
)
from meshext_controlplane.state.jwt_keys import list_jwt_keys, replace_jwt_key
from meshext_controlplane.state.settings import read_setting, write_setting
from meshext_controlplane.state.store import StateStore, Transaction

SEAL = "seal"


def create_authority(
    store: StateStore,
    trust_domain: str,
    *,
    secret: bytes | None = None,
    brought: Brought | None = None,
    clock: Clock = utc_now,
) -> None:
    """Make a root and an issuing authority and keep both; AuthorityError where the state has one already.

    `secret` is a passphrase or the content of a key file: private keys are stored encrypted by it. `brought`
    is an operator's own root, or an intermediate, which then issues and whose root's key we never see.
    """
    SpiffeId(trust_domain, "default", "default")  # refuses what is no trust domain
    brought = brought or new_root(trust_domain, clock())
    with store.writing() as transaction:
        if list_authorities(transaction):
            raise AuthorityError(f"the state {store.path} has an authority already")
        write_setting(transaction, TRUST_DOMAIN, trust_domain.encode())
        sealer = new_sealer(transaction, secret)
        keep_brought(transaction, sealer, brought, trust_domain, clock())


def keep_brought(
    transaction: Transaction, sealer: Sealer, brought: Brought, trust_domain: str, now: datetime
) -> int:
    """Store a root, and what issues below it; the number of the latter."""
    keep_authority(transaction, sealer, "root", brought.root, brought.key if brought.is_root else None)
    if not brought.is_root:
        return keep_issuing(transaction, sealer, brought)
    key = new_key()
    issuing = build_issuing(key.public_key(), trust_domain, root=brought.root, root_key=brought.key, now=now)
    return keep_authority(transaction, sealer, "issuing", issuing, key)


def new_root(trust_domain: str, now: datetime) -> Brought:
    """A root of our own."""
    key = new_key()
    return Brought((build_root(key, trust_domain, now=now),), key)


def keep_issuing(transaction: Transaction, sealer: Sealer, brought: Brought) -> int:
    """Store an operator's intermediate; its number."""
    certificate, *chain = brought.certificates[:-1]
    return keep_authority(transaction, sealer, "issuing", certificate, brought.key, chain=tuple(chain))


def open_authority(
    store: StateStore, *, secret: bytes | None = None, clock: Clock = utc_now
) -> CertificateAuthority:
    """The authority of the state: AuthorityMissing where there is none, SealError where it does not open."""
    with store.reading() as transaction:
        trust_domain = (read_setting(transaction, TRUST_DOMAIN) or b"").decode()
        sealer = read_sealer(transaction, secret)

        def reload(transaction: Transaction) -> Issuers:
            return read_issuers(transaction, sealer, str(store.path), clock())

        issuers = reload(transaction)
    return CertificateAuthority(store, trust_domain=trust_domain, issuers=issuers, reload=reload, clock=clock)


def read_issuers(transaction: Transaction, sealer: Sealer, name: str, now: datetime) -> Issuers:
    """What a state, which is called `name` in errors, holds; AuthorityMissing, SealError."""
    records = list_authorities(transaction)
    opened = {each.id: open_issuer(sealer, each) for each in records if each.key is not None}
    issuing = [each for each in records if each.role == "issuing" and each.id in opened]
    if not issuing:
        raise AuthorityMissing(f"the state {name} holds no certificate authority")
    active = read_active(transaction)
    issuer = opened[active if active in opened else issuing[-1].id]
    roots = order_roots(records, issuer.id)
    above = opened.get(roots[0].id)
    return Issuers(
        generation=read_generation(transaction),
        roots=tuple(each.certificate for each in roots),
        issuer=issuer,
        signers=tuple(each for each in opened.values() if each.certificate.not_valid_after_utc > now),
        root=None if issuer.chain else above,
    )


def has_authority(store: StateStore) -> bool:
    """Whether the state holds one."""
    with store.reading() as transaction:
        return bool(list_authorities(transaction))


def take_brought(
    store: StateStore, authority: CertificateAuthority, brought: Brought, secret: bytes | None
) -> bool:
    """Take an operator's renewed intermediate; False where it, or his root, is the one that we have.

    AuthorityError where its root is another: workloads trust the one that they know.
    """
    if fingerprint(to_der(brought.root)) not in authority.fingerprints:
        raise AuthorityError(
            f"the authority given has another root than the one in {store.path}: one state has one root"
        )
    given = to_der(brought.certificates[0])
    with store.writing() as transaction:
        if brought.is_root or given in [each.certificate for each in list_authorities(transaction)]:
            return False
        number = keep_issuing(transaction, read_sealer(transaction, secret), brought)
        write_active(transaction, number)
        return True


def keep_authority(
    transaction: Transaction,
    sealer: Sealer,
    role: Role,
    certificate: x509.Certificate,
    key: PrivateKey | None,
    *,
    chain: tuple[x509.Certificate, ...] = (),
) -> int:
    """Store one authority with its key, None where an operator keeps that; its number."""
    number = next_authority(transaction)
    sealed = None if key is None else sealer.seal(to_pkcs8(key), seal_name(number))
    record = AuthorityRecord(
        id=number,
        role=role,
        certificate=to_der(certificate),
        chain=b"".join(each.public_bytes(Encoding.PEM) for each in chain),
        key=sealed,
    )
    insert_authority(transaction, record)
    return number


def open_issuer(sealer: Sealer, record: AuthorityRecord) -> Issuer:
    """An authority whose key is in the state."""
    key = load_der_private_key(sealer.open(record.key or b"", seal_name(record.id)), None)
    if not isinstance(key, PrivateKey):
        raise AuthorityError(f"the key of authority {record.id} is of a kind that is not used")
    return Issuer(
        id=record.id,
        certificate=x509.load_der_x509_certificate(record.certificate),
        chain=tuple(map(to_der, x509.load_pem_x509_certificates(record.chain))) if record.chain else (),
        key=key,
    )


def seal_name(number: int) -> str:
    """What an authority's key is sealed with, so that no other row's opens in its place."""
    return f"authority {number}"


def jwt_seal_name(key_id: str) -> str:
    """The same for a key that signs tokens."""
    return f"jwt key {key_id}"


def read_sealer(transaction: Transaction, secret: bytes | None) -> Sealer:
    """The sealer of a state that was sealed before."""
    parameters = read_setting(transaction, SEAL)
    if secret is None or parameters is None:
        return Sealer()
    return Sealer.from_secret(check_secret(secret), parameters)


def new_sealer(transaction: Transaction, secret: bytes | None) -> Sealer:
    """The sealer of a state whose keys are stored from now on."""
    if secret is None:
        return Sealer()
    parameters = new_parameters()
    sealer = Sealer.from_secret(check_secret(secret), parameters)
    write_setting(transaction, SEAL, parameters)
    return sealer


def seal_keys(store: StateStore, secret: bytes) -> bool:
    """Encrypt keys that were stored without a secret; False where they are encrypted already."""
    with store.writing() as transaction:
        records = [each for each in list_authorities(transaction) if each.key and is_plain(each.key)]
        signing = [each for each in list_jwt_keys(transaction) if is_plain(each.key)]
        if not records and not signing:
            return False
        sealed = read_setting(transaction, SEAL) is not None
        sealer = read_sealer(transaction, secret) if sealed else new_sealer(transaction, secret)
        for record in records:
            name = seal_name(record.id)
            replace_key(transaction, record.id, sealer.seal(sealer.open(record.key or b"", name), name))
        for each in signing:
            name = jwt_seal_name(each.id)
            replace_jwt_key(transaction, each.id, sealer.seal(sealer.open(each.key, name), name))
        return True
