"""Single values beside the tables."""

from __future__ import annotations

from meshext_controlplane.state.store import Transaction


def read_setting(transaction: Transaction, name: str) -> bytes | None:
    """A setting's value; None where it was never written."""
    row = transaction.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
    return bytes(row[0]) if row else None


def write_setting(transaction: Transaction, name: str, value: bytes) -> None:
    """Write it over what was there."""
    transaction.execute("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", (name, value))


def delete_setting(transaction: Transaction, name: str) -> None:
    """Take it away; nothing where it was never written."""
    transaction.execute("DELETE FROM settings WHERE name = ?", (name,))
