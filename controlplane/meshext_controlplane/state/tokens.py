"""Join tokens as they are kept: their secret only as a hash."""

from __future__ import annotations

from dataclasses import dataclass, field

from meshext_controlplane.state.store import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRecord:
    """One token. `secret` is a SHA-256, `limits` JSON, `used` and `used_key` None until it is redeemed."""

    id: str
    secret: bytes = field(repr=False)
    identity: str
    limits: str
    created: int
    expires: int
    used: int | None = None
    used_key: bytes | None = None


_COLUMNS = "id, secret, identity, limits, created, expires, used, used_key"


def insert_token(transaction: Transaction, record: TokenRecord) -> None:
    """Keep a new one."""
    transaction.execute(
        f"INSERT INTO tokens ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)",
        (record.id, record.secret, record.identity, record.limits, record.created, record.expires),
    )


def find_token(transaction: Transaction, token_id: str) -> TokenRecord | None:
    """The one with this id."""
    found = _select(transaction, "WHERE id = ?", token_id)
    return found[0] if found else None


def list_tokens(transaction: Transaction) -> list[TokenRecord]:
    """All, the oldest first."""
    return _select(transaction, "ORDER BY created, id")


def mark_used(transaction: Transaction, token_id: str, *, at: int, key: bytes) -> None:
    """It is redeemed by the holder of this key (SHA-256 of the SubjectPublicKeyInfo)."""
    transaction.execute("UPDATE tokens SET used = ?, used_key = ? WHERE id = ?", (at, key, token_id))


def delete_token(transaction: Transaction, token_id: str) -> bool:
    """Take one back that was not used; False where there is none such."""
    changed = transaction.execute("DELETE FROM tokens WHERE id = ? AND used IS NULL", (token_id,))
    return changed.rowcount > 0


def forget_tokens(transaction: Transaction, *, before: int) -> int:
    """Drop those that expired before that time and that no certificate descends from; how many."""
    return transaction.execute(
        "DELETE FROM tokens WHERE max(expires, coalesce(used, 0)) < ?"
        " AND id NOT IN (SELECT token FROM certificates WHERE token IS NOT NULL)",
        (before,),
    ).rowcount


def _select(transaction: Transaction, rule: str, *values: object) -> list[TokenRecord]:
    rows = transaction.execute(f"SELECT {_COLUMNS} FROM tokens {rule}", values)
    return [
        TokenRecord(
            id=token_id,
            secret=secret,
            identity=identity,
            limits=limits,
            created=created,
            expires=expires,
            used=used,
            used_key=key,
        )
        for token_id, secret, identity, limits, created, expires, used, key in rows
    ]
