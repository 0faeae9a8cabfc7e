"""Roots and issuing authorities with their keys, and the settings beside them."""

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


def read_setting(transaction: Transaction, name: str) -> bytes | None:
    """A setting's value; None where it was never written."""
    row = transaction.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
    return bytes(row[0]) if row else None


def write_setting(transaction: Transaction, name: str, value: bytes) -> None:
    """Write it over what was there."""
    transaction.execute("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", (name, value))
