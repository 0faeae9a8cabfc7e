"""The file that exchanges are written to: ours alone, opened with care, only ever longer by whole lines."""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import ExitStack

from meshext.errors import RecordingError
from meshext.recording.format import VERSION_KEY

MODE = 0o600
OTHERS = 0o077
BEGINS = f'{{"{VERSION_KEY}":'.encode()
FLAGS = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""Several processes append without a lock of offsets; links are not followed, a pipe is not waited for."""
PIECE = 65_536


class RecordingFile:
    """A file of recorded exchanges, which several processes may append to."""

    def __init__(self, path: str) -> None:
        """Open it, or make it with mode 0600; RecordingError where it is not a file of our own."""
        self.path = os.path.abspath(path)
        self._descriptor = open_file(self.path)

    def append(self, lines: bytes) -> None:
        """Add whole lines, all or nothing; OSError where there is no room.

        What another process left unfinished, because it was killed while it wrote, is taken away first.
        """
        if not self._is_there():
            self.reopen()
        descriptor = self._descriptor
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            size = whole_lines(descriptor)
            try:
                write_all(descriptor, lines)
            except OSError:
                os.ftruncate(descriptor, size)
                raise
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _is_there(self) -> bool:
        """Whether the path still leads to it. On layered file systems the count of links tells nothing."""
        try:
            found = os.stat(self.path, follow_symlinks=False)
        except OSError:
            return False
        return os.path.samestat(found, os.fstat(self._descriptor))

    def reopen(self) -> None:
        """Make the file anew, since somebody has deleted it or moved it away."""
        try:
            descriptor = open_file(self.path)
        except RecordingError as error:
            raise OSError(str(error)) from error
        os.close(self._descriptor)
        self._descriptor = descriptor

    def close(self) -> None:
        """Done."""
        os.close(self._descriptor)


def open_file(path: str) -> int:
    """A descriptor of the file; RecordingError says what is wrong with it."""
    try:
        descriptor = os.open(path, FLAGS | os.O_CREAT, MODE)
    except OSError as error:
        raise RecordingError([f"can not be written: {why(path, error)}"], source=path) from error
    with ExitStack() as undo:
        undo.callback(os.close, descriptor)
        problem = find_problem(descriptor)
        if problem:
            raise RecordingError([problem], source=path)
        undo.pop_all()
    return descriptor


def why(path: str, error: OSError) -> str:
    """Why it can not be opened."""
    if os.path.islink(path):
        return "it is a symbolic link; name the file itself"
    return error.strerror or str(error)


def find_problem(descriptor: int) -> str:
    """Why nothing must be written there; "" where nothing speaks against it."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        return "is not a file; name one that recorded exchanges may be appended to"
    if status.st_uid != os.geteuid():
        return "belongs to another user; name a file of your own"
    if status.st_mode & OTHERS:
        mode = stat.S_IMODE(status.st_mode)
        return f"others may read it (mode {mode:04o}); chmod 600 it, or name a file that is not there yet"
    if status.st_size and os.pread(descriptor, len(BEGINS), 0) != BEGINS:
        return "is no recording, and nothing is appended to other files; name one that is not there yet"
    return ""


def whole_lines(descriptor: int) -> int:
    """The size of the file once what is no whole line has been cut off its end."""
    size = os.fstat(descriptor).st_size
    if not size or os.pread(descriptor, 1, size - 1) == b"\n":
        return size
    end = size
    while end:
        start = max(0, end - PIECE)
        at = os.pread(descriptor, end - start, start).rfind(b"\n")
        if at >= 0:
            end = start + at + 1
            break
        end = start
    os.ftruncate(descriptor, end)
    return end


def write_all(descriptor: int, data: bytes) -> None:
    """Everything, however often the system takes a part; a full disk takes the last part and then refuses."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
