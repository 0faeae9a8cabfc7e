"""What each proxy of the state of the world was known to have: a file beside the state, which may be lost.

Losing it costs the order of one restart's removals and nothing else. So nothing waits for the disk here, and
a file that is damaged is begun anew. A kill leaves what was written; a power cut may take the last seconds.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from meshext_controlplane.state.errors import StateDamaged, StateError, to_state_error
from meshext_controlplane.state.store import LARGEST, PATIENCE, prepare

FILE = "served.db"
VERSION = 1
APPLICATION = 0x6D736572  # "mser"

_TABLES = f"""
BEGIN EXCLUSIVE;
CREATE TABLE blobs (hash TEXT PRIMARY KEY, content BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE proxies (node TEXT PRIMARY KEY, identity TEXT NOT NULL, content TEXT NOT NULL) STRICT;
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
COMMIT;
"""


@dataclass(frozen=True, slots=True)
class ServedRecord:
    """What one proxy has, by its node id: `content` names blobs."""

    node_id: str
    identity: str
    content: str


def to_hash(content: bytes) -> str:
    """Under which a blob is kept."""
    return hashlib.sha256(content).hexdigest()[:16]


class ServedStore:
    """The file in the state's folder. One thread uses it; errors are StateError."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._database: sqlite3.Connection | None = None

    def load(self) -> tuple[list[ServedRecord], dict[str, bytes]]:
        """All records, and all blobs whose content is what it was."""
        with self._transaction() as database:
            records = database.execute("SELECT node, identity, content FROM proxies").fetchall()
            blobs = database.execute("SELECT hash, content FROM blobs").fetchall()
        return [ServedRecord(*each) for each in records], {
            name: content for name, content in blobs if to_hash(content) == name
        }

    def write(
        self, records: Iterable[ServedRecord], blobs: Mapping[str, bytes], forgotten: Iterable[str] = ()
    ) -> None:
        """Keep these, and none of these node ids any more."""
        with self._transaction() as database:
            database.executemany("INSERT OR REPLACE INTO blobs VALUES (?, ?)", blobs.items())
            rows = [(each.node_id, each.identity, each.content) for each in records]
            database.executemany("INSERT OR REPLACE INTO proxies VALUES (?, ?, ?)", rows)
            database.executemany("DELETE FROM proxies WHERE node = ?", [(each,) for each in forgotten])

    def sweep(self, living: Iterable[str]) -> int:
        """Drop all other blobs; how many are left."""
        with self._transaction() as database:
            database.execute("CREATE TEMP TABLE living (hash TEXT PRIMARY KEY) WITHOUT ROWID")
            database.executemany("INSERT OR IGNORE INTO living VALUES (?)", [(each,) for each in living])
            database.execute("DELETE FROM blobs WHERE hash NOT IN (SELECT hash FROM living)")
            database.execute("DROP TABLE living")
            left: int = database.execute("SELECT count(*) FROM blobs").fetchone()[0]
        return left

    def discard(self) -> None:
        """Remove the file; the next call begins another one."""
        self.close()
        try:
            for path in (self.path, self.path.with_name(f"{FILE}-journal")):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise StateError(f"{self.path} can not be removed: {error.strerror}") from error

    def close(self) -> None:
        """Let go of the file."""
        database, self._database = self._database, None
        if database is not None:
            database.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            database = self._database = self._database or _open(self.path)
            with database:
                database.execute("BEGIN IMMEDIATE")
                yield database
        except OSError as error:
            raise StateError(f"{self.path} can not be opened: {error.strerror}") from error
        except sqlite3.Error as error:
            raise to_state_error(error, self.path) from error


def _open(path: Path) -> sqlite3.Connection:
    prepare(path)
    database = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)
        database.execute("PRAGMA trusted_schema = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA journal_mode = TRUNCATE")
        if database.execute("PRAGMA user_version").fetchone()[0] == 0:
            database.executescript(_TABLES)
        marks = [
            database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        ]
        if marks != [APPLICATION, VERSION]:
            raise StateDamaged(f"{path} is of another meshext, or of another program")
    except BaseException:
        database.close()
        raise
    return database
