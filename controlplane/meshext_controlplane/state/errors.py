"""What can be wrong with the state, each with a text that says what to do."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from meshext.errors import MeshextError


class StateError(MeshextError):
    """The state can not be read or written; what was acknowledged before is still there."""


class DiskFull(StateError):
    """There is no room for what was to be written; nothing of it was."""


class StateReadOnly(StateError):
    """The disk or the file takes no writes."""


class StateLocked(StateError):
    """Another process has kept the state locked for longer than we wait."""


class StateDamaged(StateError):
    """The file is no state of meshext, or its content is broken."""


class StateNewer(StateError):
    """A later version of meshext has written the state."""


class StateMissing(StateError):
    """There is no state where one was expected."""


class RevisionConflict(StateError):
    """A document is not at the revision that the writer had read."""


_TEXTS: dict[int, tuple[type[StateError], str]] = {
    sqlite3.SQLITE_FULL: (DiskFull, "is on a disk that is full: make room; nothing was written"),
    sqlite3.SQLITE_READONLY: (StateReadOnly, "is read-only, or its disk is; nothing was written"),
    sqlite3.SQLITE_BUSY: (StateLocked, "is locked by another process; try again"),
    sqlite3.SQLITE_CORRUPT: (StateDamaged, "is damaged: put it aside and restore a backup (meshext restore)"),
    sqlite3.SQLITE_NOTADB: (StateDamaged, "is no state of meshext: put it aside or name another folder"),
    sqlite3.SQLITE_CANTOPEN: (StateError, "can not be opened: look at the folder's owner, mode and disk"),
    sqlite3.SQLITE_IOERR: (StateError, "can not be read or written: its disk fails, or takes no more"),
    sqlite3.SQLITE_TOOBIG: (StateError, "takes no value as large as this one; nothing was written"),
}
"""By primary result code (https://sqlite.org/rescode.html)."""


def to_state_error(error: sqlite3.Error, path: Path) -> StateError:
    """The error for a person; the extended code's name stays in, for whoever looks further."""
    code = getattr(error, "sqlite_errorcode", 0)
    if code & 0xFF == sqlite3.SQLITE_IOERR and _is_read_only(path):
        code = sqlite3.SQLITE_READONLY
    name = getattr(error, "sqlite_errorname", "")
    kind, text = _TEXTS.get(code & 0xFF, (StateError, str(error)))
    return kind(f"the state {path} {text}" + (f" ({name})" if name else ""))


def _is_read_only(path: Path) -> bool:
    """Whether the disk has become so: SQLite then opens its journal to read, and stumbles when it writes."""
    with suppress(OSError):
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    return False
