"""The log of one process in a file that can not grow without end, and its last lines at hand."""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from pathlib import Path

LARGEST = 16 * 1024 * 1024  # bytes; then it becomes NAME.1, and the one before is gone
KEPT = 20  # lines in memory
LONGEST = 2_000  # characters of a line in memory


class LogFile:
    """Appended to as lines come; a disk that is full loses lines and stops nobody."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last: deque[str] = deque(maxlen=KEPT)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._file).st_size

    @property
    def last(self) -> list[str]:
        """The last lines of this life, the oldest first."""
        return list(self._last)

    def write(self, line: bytes) -> None:
        """One line, without its end."""
        self._last.append(line[:LONGEST].decode("utf-8", "backslashreplace"))
        with suppress(OSError):
            if self._size > LARGEST:
                self._turn()
            self._size += os.write(self._file, line + b"\n")

    def close(self) -> None:
        """Write no more."""
        os.close(self._file)

    def _turn(self) -> None:
        self.path.rename(self.path.with_name(f"{self.path.name}.1"))
        fresh = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        os.dup2(fresh, self._file, inheritable=False)
        os.close(fresh)
        self._size = 0
