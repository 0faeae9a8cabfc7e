"""Identities and serial numbers that get nothing any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from meshext_controlplane.state.store import Transaction

Kind = Literal["identity", "serial"]


@dataclass(frozen=True, slots=True)
class BanRecord:
    """`value` is an identity's URI or a serial number; `since` in seconds since 1970."""

    kind: Kind
    value: str
    reason: str
    since: int


def insert_ban(transaction: Transaction, record: BanRecord) -> bool:
    """Keep it; False where it was banned already, which stays as it was."""
    values = (record.kind, record.value, record.reason, record.since)
    return transaction.execute("INSERT OR IGNORE INTO bans VALUES (?, ?, ?, ?)", values).rowcount > 0


def delete_ban(transaction: Transaction, kind: Kind, value: str) -> bool:
    """Lift it; False where there was none."""
    changed = transaction.execute("DELETE FROM bans WHERE kind = ? AND value = ?", (kind, value))
    return changed.rowcount > 0


def list_bans(transaction: Transaction) -> list[BanRecord]:
    """All, the oldest first."""
    rows = transaction.execute("SELECT kind, value, reason, since FROM bans ORDER BY since, kind, value")
    return [BanRecord(*row) for row in rows]


def find_ban(transaction: Transaction, *, identity: str, serial: str | None) -> BanRecord | None:
    """What stands against this identity or this serial number."""
    row = transaction.execute(
        "SELECT kind, value, reason, since FROM bans"
        " WHERE (kind = 'identity' AND value = ?) OR (kind = 'serial' AND value = ?) LIMIT 1",
        (identity, serial),
    ).fetchone()
    return BanRecord(*row) if row else None


def banned_identities(transaction: Transaction) -> list[str]:
    """SPIFFE IDs that are banned as a whole, sorted."""
    rows = transaction.execute("SELECT value FROM bans WHERE kind = 'identity' ORDER BY value")
    return [row[0] for row in rows]


def banned_serials(transaction: Transaction, *, at: int) -> list[tuple[str, int, int | None]]:
    """What is banned and not expired: serial number, since when, and its authority where that is known."""
    rows = transaction.execute(
        "SELECT serial, min(since), authority FROM ("
        " SELECT c.serial, b.since, c.authority FROM certificates c JOIN bans b"
        "  ON b.kind = 'identity' AND b.value = c.identity WHERE c.not_after > :at"
        " UNION ALL SELECT b.value, b.since, c.authority"
        "  FROM bans b LEFT JOIN certificates c ON c.serial = b.value"
        "  WHERE b.kind = 'serial' AND (c.not_after IS NULL OR c.not_after > :at)"
        ") GROUP BY serial ORDER BY serial",
        {"at": at},
    )
    return [(serial, since, authority) for serial, since, authority in rows]
