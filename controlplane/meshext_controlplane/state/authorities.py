"""Roots and issuing authorities with their keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from meshext_controlplane.state.store import Transaction

Role = Literal["root", "issuing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityRecord:
    """`certificate` is DER, `chain` the certificates between it and the root as PEM, `key` as it is sealed.

    `key` is None where an operator keeps it.
    """

    id: int
    role: Role
    certificate: bytes
    chain: bytes
    key: bytes | None = field(repr=False)


def insert_authority(transaction: Transaction, record: AuthorityRecord) -> None:
    """Keep it under its id, which is new."""
    transaction.execute(
        "INSERT INTO authorities (id, role, certificate, chain, key) VALUES (?, ?, ?, ?, ?)",
        (record.id, record.role, record.certificate, record.chain, record.key),
    )


def list_authorities(transaction: Transaction) -> list[AuthorityRecord]:
    """All, the oldest first."""
    rows = transaction.execute("SELECT id, role, certificate, chain, key FROM authorities ORDER BY id")
    return [
        AuthorityRecord(id=number, role=role, certificate=certificate, chain=chain, key=key)
        for number, role, certificate, chain, key in rows
    ]


def next_authority(transaction: Transaction) -> int:
    """The id of the next one."""
    number: int = transaction.execute("SELECT coalesce(max(id), 0) + 1 FROM authorities").fetchone()[0]
    return number


def replace_certificate(transaction: Transaction, number: int, certificate: bytes) -> None:
    """A new certificate (DER) for the same name and key."""
    transaction.execute("UPDATE authorities SET certificate = ? WHERE id = ?", (certificate, number))


def replace_key(transaction: Transaction, number: int, key: bytes) -> None:
    """The same key, sealed anew."""
    transaction.execute("UPDATE authorities SET key = ? WHERE id = ?", (key, number))
