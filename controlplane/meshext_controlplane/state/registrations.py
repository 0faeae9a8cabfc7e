"""Workloads as they last registered, so that a control plane knows them when it has restarted."""

from __future__ import annotations

from dataclasses import dataclass

from meshext_controlplane.state.store import StateStore


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationRecord:
    """`body` is an encoded `meshext.workloads.Registration`, `serial` that of the certificate it came with.

    `seen` is when it was last heard of, in seconds since 1970.
    """

    namespace: str
    name: str
    identity: str
    serial: str
    body: bytes
    seen: int


class Registrations:
    """The registrations of a state."""

    def __init__(self, store: StateStore) -> None:
        self._store = store

    def put(self, record: RegistrationRecord) -> None:
        """Keep one in the place of that of the same namespace and name."""
        values = (record.namespace, record.name, record.identity, record.serial, record.body, record.seen)
        with self._store.writing() as transaction:
            transaction.execute("INSERT OR REPLACE INTO registrations VALUES (?, ?, ?, ?, ?, ?)", values)

    def remove(self, namespace: str, name: str) -> bool:
        """Forget one; False where there was none."""
        with self._store.writing() as transaction:
            changed = transaction.execute(
                "DELETE FROM registrations WHERE namespace = ? AND name = ?", (namespace, name)
            )
            return changed.rowcount > 0

    def forget(self, *, before: int) -> int:
        """Drop those that were last heard of before that time; how many."""
        with self._store.writing() as transaction:
            return transaction.execute("DELETE FROM registrations WHERE seen < ?", (before,)).rowcount

    def all(self) -> list[RegistrationRecord]:
        """All, by namespace and name."""
        with self._store.reading() as transaction:
            rows = transaction.execute(
                "SELECT namespace, name, identity, serial, body, seen FROM registrations"
                " ORDER BY namespace, name"
            ).fetchall()
        return [
            RegistrationRecord(
                namespace=namespace, name=name, identity=identity, serial=serial, body=body, seen=seen
            )
            for namespace, name, identity, serial, body, seen in rows
        ]
