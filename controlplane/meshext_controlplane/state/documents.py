"""Documents that were applied by the API, each at a revision: nobody overwrites what he has not read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meshext_controlplane.state.errors import RevisionConflict
from meshext_controlplane.state.settings import read_setting, write_setting
from meshext_controlplane.state.store import StateStore, Transaction

Key = tuple[str, str, str]
"""Kind, namespace, name."""

_REVISION = "documents-revision"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedDocument:
    """One document as it was given, `text` being its YAML; `applied` in seconds since 1970."""

    kind: str
    namespace: str
    name: str
    text: str
    applied: int
    revision: int

    @property
    def key(self) -> Key:
        """What it is found by."""
        return (self.kind, self.namespace, self.name)


@dataclass(frozen=True, slots=True)
class Put:
    """Write a document. `expected` is the revision that was read, 0 for one that is new, None for any."""

    key: Key
    text: str
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Take a document away; `expected` as in Put, and where it is None one that is not there is fine."""

    key: Key
    expected: int | None = None


Change = Put | Delete


class Documents:
    """The applied documents of a state. All changes of one call are made, or none."""

    def __init__(self, store: StateStore) -> None:
        self._store = store

    def apply(self, changes: Sequence[Change], *, now: int) -> int:
        """Make the changes at a time (seconds since 1970): the revision that all of them have.

        RevisionConflict names the first document that is at another revision than was expected.
        """
        with self._store.writing() as transaction:
            revision = _read_revision(transaction) + 1
            for change in changes:
                _check_expected(transaction, change)
                _make(transaction, change, now, revision)
            write_setting(transaction, _REVISION, str(revision).encode())
            return revision

    def revision(self) -> int:
        """That of the last change; 0 where there was none."""
        with self._store.reading() as transaction:
            return _read_revision(transaction)

    def get(self, key: Key) -> AppliedDocument | None:
        """One document."""
        with self._store.reading() as transaction:
            found = _select(transaction, "WHERE kind = ? AND namespace = ? AND name = ?", *key)
            return found[0] if found else None

    def all(self) -> list[AppliedDocument]:
        """All, sorted by kind, namespace and name."""
        return self.load()[0]

    def load(self) -> tuple[list[AppliedDocument], int]:
        """All, and the revision that they are the state of."""
        with self._store.reading() as transaction:
            return _select(transaction, "ORDER BY kind, namespace, name"), _read_revision(transaction)


def _make(transaction: Transaction, change: Change, now: int, revision: int) -> None:
    if isinstance(change, Put):
        transaction.execute(
            "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?)",
            (*change.key, change.text, now, revision),
        )
    else:
        transaction.execute("DELETE FROM documents WHERE kind = ? AND namespace = ? AND name = ?", change.key)


def _check_expected(transaction: Transaction, change: Change) -> None:
    if change.expected is None:
        return
    found = transaction.execute(
        "SELECT revision FROM documents WHERE kind = ? AND namespace = ? AND name = ?", change.key
    ).fetchone()
    revision: int = found[0] if found else 0
    if revision != change.expected:
        kind, namespace, name = change.key
        at = f"at revision {revision}" if found else "not there"
        wanted = f"revision {change.expected}" if change.expected else "none"
        raise RevisionConflict(f"{kind} {namespace}/{name} is {at}, expected was {wanted}: read it again")


def _read_revision(transaction: Transaction) -> int:
    return int(read_setting(transaction, _REVISION) or b"0")


def _select(transaction: Transaction, rule: str, *values: str) -> list[AppliedDocument]:
    columns = "kind, namespace, name, text, applied, revision"
    return [
        AppliedDocument(
            kind=kind, namespace=namespace, name=name, text=text, applied=applied, revision=revision
        )
        for kind, namespace, name, text, applied, revision in transaction.execute(
            f"SELECT {columns} FROM documents {rule}", values
        )
    ]
