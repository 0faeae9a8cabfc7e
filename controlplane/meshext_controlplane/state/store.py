"""The state as one SQLite file: what is acknowledged survives a kill, a power cut and a full disk.

A rollback journal and not a write-ahead log: a commit costs 0.8 ms instead of 0.4, but the state is one file
at rest, a disk that has become read-only can still be read after a restart, and SQLite up to 3.51.2, which
Python's builds carry, can damage a log that two connections write (its "WAL-reset bug").
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from meshext_controlplane.state.errors import StateDamaged, StateError, StateMissing, to_state_error
from meshext_controlplane.state.schema import APPLICATION, migrate
from meshext_controlplane.state.syncing import sync

FILE = "state.db"
PATIENCE = 10.0  # seconds that we wait for another process' lock
LARGEST = 16 * 1024 * 1024  # bytes of one value or row

Transaction = sqlite3.Connection
"""What functions of `state` take: a connection inside `StateStore.writing` or `StateStore.reading`."""


class StateStore:
    """The state in a folder, which is made with mode 0700 where it is missing.

    Any thread may use it, one at a time. Errors are StateError; a block that raises has changed nothing.
    `observe` is called with the seconds that each change took until it was on disk.
    """

    def __init__(
        self, folder: Path, *, create: bool = True, observe: Callable[[float], None] | None = None
    ) -> None:
        self.folder = folder
        self._observe = observe
        self.path = folder / FILE
        self._lock = threading.RLock()
        self._closed = False
        if not create and not self.path.exists():
            raise StateMissing(f"there is no state in {folder}: name the folder that the control plane has")
        try:
            prepare(self.path)
            self._database = _connect(self.path)
        except OSError as error:
            raise StateError(f"the state {self.path} can not be opened: {error.strerror}") from error
        except sqlite3.Error as error:
            raise to_state_error(error, self.path) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; a second time does nothing."""
        with self._lock:
            self._closed = True
            self._database.close()

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """One change: on disk when the block has ended, or not at all. Others wait, also other processes."""
        with self._lock:
            begun = time.perf_counter()
            with self._within("BEGIN IMMEDIATE") as database:
                yield database
            if self._observe is not None:
                self._observe(time.perf_counter() - begun)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """One moment's view of everything."""
        with self._lock, self._within("BEGIN") as database:
            yield database

    def copy_into(self, copy: sqlite3.Connection) -> None:
        """Copy everything as it is at one moment into another database."""
        with self._lock:
            self._database.backup(copy)

    def changed_elsewhere(self) -> int:
        """A number that changes when another process has written (`PRAGMA data_version`)."""
        with self._lock:
            try:
                number: int = self._database.execute("PRAGMA data_version").fetchone()[0]
            except sqlite3.Error as error:
                raise to_state_error(error, self.path) from error
            return number

    @contextmanager
    def _within(self, begin: str) -> Iterator[Transaction]:
        database = self._database
        if self._closed:
            raise StateError(f"the state {self.path} is closed")
        if database.in_transaction:
            raise RuntimeError("a transaction of the state within another")
        try:
            database.execute(begin)
            yield database
            database.execute("COMMIT")
        except sqlite3.Error as error:
            raise to_state_error(error, self.path) from error
        finally:
            _roll_back(database)


@contextmanager
def part_of(transaction: Transaction) -> Iterator[None]:
    """A block within a change: where it raises, what it has changed is undone and the rest stays."""
    transaction.execute("SAVEPOINT part")
    try:
        yield
    except BaseException:
        if transaction.in_transaction:  # a disk that is full may have ended it
            transaction.execute("ROLLBACK TO part")
            transaction.execute("RELEASE part")
        raise
    transaction.execute("RELEASE part")


def _roll_back(database: sqlite3.Connection) -> None:
    """What is left open after an error; a failed COMMIT may leave it so, or not."""
    if database.in_transaction:
        with suppress(sqlite3.Error):  # the first error says more
            database.execute("ROLLBACK")


def prepare(path: Path) -> None:
    """Folder and file, so that nobody else can read them at any time."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    sync(path.parent)


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)
        database.execute("PRAGMA trusted_schema = OFF")
        database.execute("PRAGMA synchronous = EXTRA")
        database.execute("PRAGMA fullfsync = ON")
        database.execute("PRAGMA secure_delete = ON")
        database.execute("PRAGMA journal_mode = TRUNCATE")
        found = database.execute("PRAGMA application_id").fetchone()[0]
        if found not in (0, APPLICATION) or (found == 0 and _has_tables(database)):
            raise StateDamaged(f"{path} is no state of meshext: put it aside or name another folder")
        migrate(database, path)
    except BaseException:
        database.close()
        raise
    return database


def _has_tables(database: sqlite3.Connection) -> bool:
    return bool(database.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone())
