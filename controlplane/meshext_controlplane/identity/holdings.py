"""Who holds what until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from meshext_controlplane.identity.clock import Clock, from_seconds, to_seconds, utc_now
from meshext_controlplane.identity.keys import fingerprint
from meshext_controlplane.state.authorities import AuthorityRecord, list_authorities
from meshext_controlplane.state.bans import banned_serials
from meshext_controlplane.state.certificates import CertificateRecord, list_certificates
from meshext_controlplane.state.jwt_keys import list_jwt_keys
from meshext_controlplane.state.store import StateStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One certificate that has not expired. `newest` is false where its holder has renewed it since."""

    identity: str
    serial: str
    token: str | None
    issued: datetime
    not_after: datetime
    banned: bool
    newest: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One authority: `role` is root or issuing, `ours` whether the state has its key."""

    role: str
    subject: str
    fingerprint: str
    not_after: datetime
    ours: bool


@dataclass(frozen=True, slots=True)
class JwtSigner:
    """A key of tokens, and when it signs."""

    id: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Holdings:
    """Authorities, roots first; certificates by identity and age; keys of tokens as they take turns."""

    authorities: tuple[Standing, ...]
    certificates: tuple[Holding, ...]
    signers: tuple[JwtSigner, ...] = ()


def read_holdings(store: StateStore, *, clock: Clock = utc_now) -> Holdings:
    """What is valid now."""
    now = to_seconds(clock())
    with store.reading() as transaction:
        records = list_certificates(transaction, at=now)
        banned = {serial for serial, _, _ in banned_serials(transaction, at=now)}
        authorities = list_authorities(transaction)
        keys = list_jwt_keys(transaction)
    lines = {_line(record): record.serial for record in records}
    certificates = tuple(_to_holding(record, banned, lines) for record in records)
    signers = (JwtSigner(each.id, from_seconds(each.begins), from_seconds(each.ends)) for each in keys)
    return Holdings(tuple(map(_to_standing, authorities)), certificates, tuple(signers))


def _line(record: CertificateRecord) -> tuple[str, str]:
    """Renewals of one workload: what began with one token, or is our own."""
    return record.identity, record.token or ""


def _to_holding(record: CertificateRecord, banned: set[str], lines: dict[tuple[str, str], str]) -> Holding:
    return Holding(
        identity=record.identity,
        serial=record.serial,
        token=record.token,
        issued=from_seconds(record.issued),
        not_after=from_seconds(record.not_after),
        banned=record.serial in banned,
        newest=lines[_line(record)] == record.serial,
    )


def _to_standing(record: AuthorityRecord) -> Standing:
    certificate = x509.load_der_x509_certificate(record.certificate)
    return Standing(
        role=record.role,
        subject=certificate.subject.rfc4514_string(),
        fingerprint=fingerprint(record.certificate),
        not_after=certificate.not_valid_after_utc,
        ours=record.key is not None,
    )
