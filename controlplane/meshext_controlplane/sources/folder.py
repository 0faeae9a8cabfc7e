"""A folder of YAML and JSON: read as a whole, read again where files changed, watched.

Every `*.yaml`, `*.yml` and `*.json` in it and below counts; what begins with a dot does not. A folder that is
suddenly empty, or gone, is more likely a mount that failed than a wish: what it held stays, and is told.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import stat
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from meshext.config import MAX_BYTES
from meshext_controlplane.model.kinds import KINDS, Kinds
from meshext_controlplane.sources.places import Origin, Problem
from meshext_controlplane.sources.reading import NOTHING_KNOWN, Known, Reading, read_bytes

SUFFIXES = (".yaml", ".yml", ".json")
MOST_FILES = 10_000
MOST_BYTES = 256 * 1024 * 1024  # of all files together
FILES_RANK = 0

QUIET = 100  # milliseconds without a change, so that files that are saved together are one change
LONGEST = 1600  # milliseconds that changes may go on
LOOK = 1000  # milliseconds between two looks where the system tells nothing, as on network drives


@dataclass(frozen=True, slots=True)
class FileReading:
    """One file: `stamp` changes when the file does, `digest` when its content does."""

    stamp: tuple[int, ...]
    digest: str
    reading: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderReading:
    """A folder at one moment. `problems` are those of the folder itself, beside those of its files."""

    files: Mapping[str, FileReading] = field(default_factory=lambda: MappingProxyType({}))
    problems: tuple[Problem, ...] = ()

    @property
    def readings(self) -> list[Reading]:
        """What the files hold, by path."""
        return [each.reading for _, each in sorted(self.files.items())]


EMPTY = FolderReading()


def read_folder(folder: Path, previous: FolderReading = EMPTY, *, kinds: Kinds = KINDS) -> FolderReading:
    """The folder as it is now; a file that is as it was in `previous` is not read again."""
    try:
        names = sorted(_find_files(folder))
    except OSError as error:
        return _kept(previous, folder, f"can not be read: {error.strerror}")
    if not names and previous.files:
        return _kept(previous, folder, "is suddenly empty")
    known = {placed.key: placed for reading in previous.readings for placed in reading.documents}
    files: dict[str, FileReading] = {}
    problems: list[Problem] = []
    room = MOST_BYTES
    for name in names[:MOST_FILES]:
        file = read_file(name, previous.files.get(name), known, kinds=kinds)
        room -= len(file.reading.origin.text)
        if room < 0:
            problems.append(
                _trouble(folder, f"holds more than {MOST_BYTES} bytes", f"{name} and later files")
            )
            break
        files[name] = file
    if len(names) > MOST_FILES:
        problems.append(
            _trouble(folder, f"holds more than {MOST_FILES} files", f"{names[MOST_FILES]} and later")
        )
    # What is left out now may have been in force: a DENY among it would let everybody in.
    kept = {name: previous.files[name] for name in names if name not in files and name in previous.files}
    return FolderReading(files=MappingProxyType(files | kept), problems=tuple(problems))


def alike(one: FolderReading, other: FolderReading) -> bool:
    """Whether two readings say the same; files that were only touched do."""
    return (
        one.problems == other.problems
        and one.files.keys() == other.files.keys()
        and all(_told(file) == _told(other.files[name]) for name, file in one.files.items())
    )


def _told(file: FileReading) -> tuple[str, tuple[Problem, ...]]:
    return file.digest, file.reading.problems


async def watch_folder(folder: Path, first: FolderReading) -> AsyncIterator[FolderReading]:
    """Every reading that says something else than the last one, until cancelled; `first` is told already."""
    last = first
    while True:
        try:
            async for _ in _changes(folder):
                now = await asyncio.to_thread(read_folder, folder, last)
                if not alike(now, last):
                    yield now
                last = now
        except (OSError, RuntimeError):  # the folder went away, or there are no more watches
            await asyncio.sleep(LOOK / 1000)
        now = await asyncio.to_thread(read_folder, folder, last)
        if not alike(now, last):
            yield now
        last = now


async def _changes(folder: Path) -> AsyncIterator[object]:
    from watchfiles import awatch

    logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it tells of each change
    async for each in awatch(
        folder, watch_filter=None, debounce=LONGEST, step=QUIET, rust_timeout=LOOK, yield_on_timeout=True
    ):
        yield each


def _find_files(folder: Path) -> Iterator[str]:
    def fail(error: OSError) -> None:
        raise error

    for place, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [each for each in folders if not each.startswith(".")]
        for name in names:
            if name.endswith(SUFFIXES) and not name.startswith("."):
                yield os.path.join(place, name)


def read_file(
    name: str,
    previous: FileReading | None = None,
    known: Known = NOTHING_KNOWN,
    *,
    kinds: Kinds = KINDS,
) -> FileReading:
    """One file; `previous` where it has not changed since."""
    origin = Origin(name, "", (FILES_RANK, name, 0.0))
    try:
        found = os.stat(name)
        stamp = (found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size)
        if previous is not None and previous.stamp == stamp:
            return previous
        if not stat.S_ISREG(found.st_mode):  # a pipe would be waited for
            return _refused(origin, stamp, "is no plain file", "put a file there")
        with open(name, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        return _refused(origin, (), f"can not be read: {error.strerror}", "let the control plane read it")
    digest = hashlib.sha256(content).hexdigest()
    if previous is not None and previous.digest == digest:
        return replace(previous, stamp=stamp)
    return FileReading(stamp, digest, read_bytes(content, origin, known=known, kinds=kinds))


def _refused(origin: Origin, stamp: tuple[int, ...], text: str, hint: str) -> FileReading:
    problem = Problem(source=origin.source, line=0, key=None, path="", text=text, hint=hint)
    return FileReading(stamp, "", Reading(origin=origin, problems=(problem,), whole=False))


def _kept(previous: FolderReading, folder: Path, what: str) -> FolderReading:
    count = sum(len(reading.documents) for reading in previous.readings)
    hint = (
        "to empty it on purpose leave one file with a comment in it" if previous.files else "make the folder"
    )
    kept = f"; its {count} documents are kept" if previous.files else ""
    problem = Problem(source=str(folder), line=0, key=None, path="", text=f"{what}{kept}", hint=hint)
    return replace(previous, problems=(problem,))


def _trouble(folder: Path, text: str, which: str) -> Problem:
    return Problem(
        source=str(folder),
        line=0,
        key=None,
        path="",
        text=f"{text}; {which} are left out",
        hint="remove some",
    )
