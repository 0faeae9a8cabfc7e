"""Roots and issuing authorities with their keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from meshext_controlplane.state.settings import read_setting, write_setting
from meshext_controlplane.state.store import Transaction

Role = Literal["root", "issuing"]

_ACTIVE = "issuing"
_GENERATION = "authorities-generation"


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
    _count_change(transaction)


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


def delete_authority(transaction: Transaction, number: int) -> None:
    """Take one away, with its key."""
    transaction.execute("DELETE FROM authorities WHERE id = ?", (number,))
    _count_change(transaction)


def read_active(transaction: Transaction) -> int | None:
    """The id of the authority that issues; None where that is the newest."""
    found = read_setting(transaction, _ACTIVE)
    return None if found is None else int(found)


def write_active(transaction: Transaction, number: int) -> None:
    """From now on this one issues."""
    write_setting(transaction, _ACTIVE, str(number).encode())
    _count_change(transaction)


def read_generation(transaction: Transaction) -> int:
    """How often authorities have come, gone, or taken turns."""
    return int(read_setting(transaction, _GENERATION) or b"0")


def _count_change(transaction: Transaction) -> None:
    write_setting(transaction, _GENERATION, str(read_generation(transaction) + 1).encode())
