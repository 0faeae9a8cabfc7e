"""Keys that JWT-SVIDs are signed with: one at a time, the next one known before it signs."""

from __future__ import annotations

from dataclasses import dataclass, field

from meshext_controlplane.state.store import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtKeyRecord:
    """`public` is a SubjectPublicKeyInfo in DER, `key` the private one as it is sealed.

    It signs from `begins` to before `ends`, in seconds since 1970.
    """

    id: str
    public: bytes
    key: bytes = field(repr=False)
    begins: int
    ends: int


_COLUMNS = "id, public, key, begins, ends"


def insert_jwt_key(transaction: Transaction, record: JwtKeyRecord) -> None:
    """Keep it under its id, which is new."""
    values = (record.id, record.public, record.key, record.begins, record.ends)
    transaction.execute(f"INSERT INTO jwt_keys ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)", values)


def list_jwt_keys(transaction: Transaction) -> list[JwtKeyRecord]:
    """All, in the order in which they sign."""
    rows = transaction.execute(f"SELECT {_COLUMNS} FROM jwt_keys ORDER BY begins, ends, id")
    return [
        JwtKeyRecord(id=name, public=public, key=key, begins=begins, ends=ends)
        for name, public, key, begins, ends in rows
    ]


def move_jwt_key(transaction: Transaction, name: str, *, begins: int, ends: int) -> None:
    """Let it sign at another time."""
    transaction.execute("UPDATE jwt_keys SET begins = ?, ends = ? WHERE id = ?", (begins, ends, name))


def replace_jwt_key(transaction: Transaction, name: str, key: bytes) -> None:
    """The same key, sealed anew."""
    transaction.execute("UPDATE jwt_keys SET key = ? WHERE id = ?", (key, name))


def delete_jwt_key(transaction: Transaction, name: str) -> None:
    """Take one away."""
    transaction.execute("DELETE FROM jwt_keys WHERE id = ?", (name,))
