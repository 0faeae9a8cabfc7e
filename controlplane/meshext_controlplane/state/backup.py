"""Copies of the state: taken while it is in use, checked before they count, put back as a whole."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from meshext_controlplane.state.errors import (
    StateDamaged,
    StateError,
    StateMissing,
    to_state_error,
)
from meshext_controlplane.state.ownership import Ownership
from meshext_controlplane.state.schema import APPLICATION, STEPS
from meshext_controlplane.state.store import FILE, StateStore
from meshext_controlplane.state.syncing import sync

KEPT = "before-restore"

_TABLES = ("authorities", "tokens", "certificates", "bans", "documents", "registrations", "jwt_keys")
_LATER = {"jwt_keys": 2}
"""The version of the tables that a table came with, where that is not the first."""


@dataclass(frozen=True, slots=True)
class Contents:
    """How much of what a state holds, by table; `version` is that of its tables."""

    version: int
    rows: dict[str, int]


def back_up(store: StateStore, target: Path) -> Contents:
    """Copy the state as it is at one moment, also while others write, and check the copy.

    The file is new, has mode 0600, and is on disk when this returns; StateError where it can not be written,
    or is there already. It holds private keys: encrypted where the state's are.
    """
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    if target.exists():
        raise StateError(f"{target} exists already; name a new file")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(sqlite3.connect(part, isolation_level=None)) as copy:
            store.copy_into(copy)
        contents = check_backup(part)
        sync(part)
        os.link(part, target)  # unlike a rename it replaces nothing
        sync(target.parent)
    except sqlite3.Error as error:
        raise to_state_error(error, target) from error
    except OSError as error:
        raise StateError(f"the backup {target} can not be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return contents


def check_backup(path: Path) -> Contents:
    """What a file holds; StateDamaged where it is no whole state, StateMissing where there is none."""
    if not path.is_file():
        raise StateMissing(f"there is no file {path}")
    try:
        with closing(_open_to_read(path)) as database:
            return _check(database, path)
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", "")
        raise StateDamaged(f"{path} is no whole state: take another backup ({name or error})") from error


def restore(source: Path, folder: Path, *, replace: bool = False) -> Contents:
    """Put a checked copy into the place of the state in a folder.

    StateLocked while a control plane uses the folder. StateError where it holds an authority already, unless
    `replace` is true; what was there is kept beside, as `state.db.before-restore-` and the time (UTC).
    """
    contents = check_backup(source)
    path = folder / FILE
    part = path.with_name(f".{FILE}.{os.getpid()}.part")
    with Ownership(folder):
        if not replace and _holds_authority(path):
            raise StateError(f"there is a state in {folder} already; --force keeps it beside the new one")
        try:
            os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            with closing(_open_to_read(source)) as database, closing(sqlite3.connect(part)) as copy:
                database.backup(copy)
            check_backup(part)
            sync(part)
            _put_in_place(part, path)
        except sqlite3.Error as error:
            raise to_state_error(error, path) from error
        except OSError as error:
            raise StateError(f"the state can not be restored into {folder}: {error.strerror}") from error
        finally:
            part.unlink(missing_ok=True)
    return contents


def _put_in_place(part: Path, path: Path) -> None:
    journal = path.with_name(f"{path.name}-journal")
    if path.exists():
        # The journal belongs to the old state: with it that can still be read, without it the new one can.
        kept = path.with_name(f"{path.name}.{KEPT}-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}")
        if journal.exists():
            os.replace(journal, kept.with_name(f"{kept.name}-journal"))
        os.replace(path, kept)
    journal.unlink(missing_ok=True)
    os.replace(part, path)
    sync(path.parent)


def _holds_authority(path: Path) -> bool:
    """Whether a state is worth something; one that is damaged may be."""
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(path)) as database:
            table = database.execute("SELECT 1 FROM sqlite_schema WHERE name = 'authorities'").fetchone()
            return bool(table and database.execute("SELECT 1 FROM authorities").fetchone())
    except sqlite3.Error:
        return True


def _open_to_read(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


def _check(database: sqlite3.Connection, path: Path) -> Contents:
    if database.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        raise StateDamaged(f"{path} is no state of meshext")
    found = [row[0] for row in database.execute("PRAGMA integrity_check(3)")]
    if found != ["ok"]:
        raise StateDamaged(f"{path} is damaged: {'; '.join(found)[:200]}")
    version: int = database.execute("PRAGMA user_version").fetchone()[0]
    if not 1 <= version <= len(STEPS):
        raise StateDamaged(f"{path} is of another meshext (version {version})")
    tables = [each for each in _TABLES if _LATER.get(each, 1) <= version]
    rows = {table: int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in tables}
    if not rows["authorities"]:
        raise StateDamaged(f"{path} holds no certificate authority: it is of no use")
    return Contents(version, rows)
