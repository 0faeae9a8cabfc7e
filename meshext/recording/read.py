"""Reading a file of recorded exchanges: first every mistake in it, then one exchange after another."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from meshext.errors import RecordingError
from meshext.recording.exchange import Recorded
from meshext.recording.parse import LARGEST_LINE, parse_line

MOST_PROBLEMS = 50  # told of one file


@dataclass(frozen=True, slots=True)
class Entry:
    """Where an exchange is: `line` counts from 1, `offset` and `size` are in bytes."""

    time: float
    line: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A file whose every line was found right. `entries` are in the order in which exchanges began.

    `torn` says that the last line was cut off, as where its writer was killed; it is left out.
    """

    path: str
    entries: tuple[Entry, ...]
    torn: bool

    def exchanges(self) -> Iterator[tuple[int, Recorded]]:
        """Each exchange with its line, in that order; RecordingError where the file has changed since."""
        with open_recording(self.path) as file:
            for entry in self.entries:
                file.seek(entry.offset)
                recorded = parse_line(file.read(entry.size))
                if isinstance(recorded, list):
                    raise RecordingError([f"line {entry.line}: it was changed meanwhile"], source=self.path)
                yield entry.line, recorded


@contextmanager
def open_recording(path: str) -> Iterator[BinaryIO]:
    """The file; RecordingError where it can not be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RecordingError([f"can not be read: {reason}"], source=path) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RecordingError(["is not a file; name one that `meshext run --record` wrote"], source=path)
    with os.fdopen(descriptor, "rb") as file:
        yield file


def read_recording(path: str, progress: Callable[[int], None] = lambda _: None) -> Recording:
    """The whole file looked through; RecordingError lists what is wrong: line, path, what to write.

    `progress` is told the bytes of each line. A file without any exchange is refused too.
    """
    problems: list[str] = []
    entries: list[Entry] = []
    torn = False
    with open_recording(path) as file:
        for number, offset, line in lines_of(file):
            progress(len(line))
            if len(line) > LARGEST_LINE:
                problems.append(f"line {number}: more than {LARGEST_LINE} bytes")
                break
            if not line.strip():
                continue
            recorded = parse_line(line)
            if not isinstance(recorded, list):
                entries.append(Entry(recorded.time, number, offset, len(line)))
            elif torn := not line.endswith(b"\n") and recorded[0].startswith("not JSON"):
                break
            else:
                problems += [f"line {number}: {problem}" for problem in recorded]
            if len(problems) >= MOST_PROBLEMS:
                problems = [*problems[:MOST_PROBLEMS], "and maybe more"]
                break
    if not problems and not entries:
        problems.append("it holds no exchange")
    if problems:
        raise RecordingError(problems, source=path)
    return Recording(path=path, entries=tuple(sorted(entries, key=lambda entry: entry.time)), torn=torn)


def lines_of(file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """Number, offset and bytes of each line; one that is too long comes cut, and ends it."""
    number = offset = 0
    while line := file.readline(LARGEST_LINE + 1):
        number += 1
        yield number, offset, line
        offset += len(line)
