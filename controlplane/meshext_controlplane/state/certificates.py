"""Every certificate that was issued and has not expired: who holds what until when."""

from __future__ import annotations

from dataclasses import dataclass

from meshext_controlplane.state.store import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRecord:
    """`token` is the id of the one that the first certificate of this line was issued for, None for our own.

    `key` is the SHA-256 of the public key (SubjectPublicKeyInfo), `authority` who has signed it.
    """

    serial: str
    identity: str
    token: str | None
    authority: int
    key: bytes
    issued: int
    not_after: int


_COLUMNS = "serial, identity, token, authority, key, issued, not_after"


def insert_certificate(transaction: Transaction, record: CertificateRecord) -> None:
    """Keep it; a serial number is never used twice."""
    transaction.execute(
        f"INSERT INTO certificates ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            record.serial,
            record.identity,
            record.token,
            record.authority,
            record.key,
            record.issued,
            record.not_after,
        ),
    )


def find_certificate(transaction: Transaction, serial: str) -> CertificateRecord | None:
    """The one with this serial number."""
    found = _select(transaction, "WHERE serial = ?", serial)
    return found[0] if found else None


def list_certificates(transaction: Transaction, *, at: int) -> list[CertificateRecord]:
    """Those that have not expired, by identity and age."""
    return _select(transaction, "WHERE not_after > ? ORDER BY identity, issued, serial", at)


def latest_of_lines(transaction: Transaction, *, at: int) -> list[CertificateRecord]:
    """Of each line of renewals the one that was issued last, where it has not expired."""
    rule = (
        "WHERE not_after > ? AND rowid IN"
        " (SELECT max(rowid) FROM certificates GROUP BY identity, token) ORDER BY identity, issued"
    )
    return _select(transaction, rule, at)


def latest_certificate(transaction: Transaction, identity: str) -> CertificateRecord | None:
    """The one of an identity that was issued last and came from a token."""
    rule = "WHERE identity = ? AND token IS NOT NULL ORDER BY issued DESC, rowid DESC LIMIT 1"
    found = _select(transaction, rule, identity)
    return found[0] if found else None


def count_line(transaction: Transaction, identity: str, token: str | None, *, since: int) -> int:
    """How many certificates of one line, which began with a token, were issued since a time."""
    rule = "SELECT count(*) FROM certificates WHERE identity = ? AND issued > ? AND token IS ?"
    number: int = transaction.execute(rule, (identity, since, token)).fetchone()[0]
    return number


def forget_expired(transaction: Transaction, *, before: int) -> int:
    """Drop what expired before that time; how many."""
    return transaction.execute("DELETE FROM certificates WHERE not_after < ?", (before,)).rowcount


def _select(transaction: Transaction, rule: str, *values: object) -> list[CertificateRecord]:
    rows = transaction.execute(f"SELECT {_COLUMNS} FROM certificates {rule}", values)
    return [
        CertificateRecord(
            serial=serial,
            identity=identity,
            token=token,
            authority=authority,
            key=key,
            issued=issued,
            not_after=until,
        )
        for serial, identity, token, authority, key, issued, until in rows
    ]
