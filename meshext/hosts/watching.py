"""`--watch`: tells when what was loaded is no longer what is on disk.

Folders are watched, and what counts is the content of files: an editor that writes a file anew under
another name, a mounted ConfigMap whose symlink is moved, a file that is touched and is the same as before.
Files that a filter opens by itself are its own business.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from meshext.sources import digest_of

log = logging.getLogger("meshext.supervisor")

QUIET = 100  # milliseconds without a change, so that two files that are saved together are one change
LONGEST = 1600  # milliseconds that changes may go on
LOOK = 1000  # milliseconds between two looks where the system tells nothing, as on network drives

Stamp = tuple[object, ...]


class Watcher:
    """Watches in the parent's loop. `expect` what was loaded; `on_change` is called in the loop's thread."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._expected: dict[str, str] = {}
        self._modules: frozenset[str] = frozenset()
        self._stamp: Stamp = ()
        self._again = asyncio.Event()

    async def expect(self, files: Mapping[str, str], *, refused: bool = False) -> None:
        """These files were read, with contents of these digests; where it was refused, maybe not all."""
        others = {path: digest_of(path) for path in self._expected} if refused else {}
        self._expected = {**others, **files}
        self._modules = frozenset(self._find_modules())
        self._stamp = ()
        self._again.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            self._again.clear()
            try:
                await self._watch()
            except (OSError, RuntimeError) as error:  # a folder that went away, no more inotify watches
                log.warning("files can not be watched (%s); they are looked at each second", error)
                await asyncio.sleep(LOOK / 1000)
                await self._look()

    async def _watch(self) -> None:
        """Until other files are to be watched."""
        from watchfiles import awatch

        logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it tells of each change
        folders = [folder for folder in self._folders() if os.path.isdir(folder)]
        await self._look()
        if not folders:
            await self._again.wait()
            return
        async for _ in awatch(
            *folders,
            watch_filter=None,
            debounce=LONGEST,
            step=QUIET,
            rust_timeout=LOOK,
            yield_on_timeout=True,
            recursive=False,
            stop_event=self._again,
        ):
            await self._look()

    def _folders(self) -> list[str]:
        return list(dict.fromkeys(str(Path(path).parent) for path in self._expected))

    async def _look(self) -> None:
        if await asyncio.to_thread(self._changed):
            self._on_change()

    def _changed(self) -> bool:
        """Whether there is a change that was not told yet."""
        modules = frozenset(self._find_modules())
        stamp = tuple(stamp_of(path) for path in sorted({*self._expected, *modules}))
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        appeared, self._modules = modules != self._modules, modules
        return appeared or any(digest_of(path) != read for path, read in self._expected.items())

    def _find_modules(self) -> Iterator[str]:
        return (each for folder in self._folders() for each in modules_in(folder))


def modules_in(folder: str) -> Iterator[str]:
    """Python files there."""
    try:
        with os.scandir(folder) as entries:
            yield from sorted(entry.path for entry in entries if entry.name.endswith(".py"))
    except OSError:
        return


def stamp_of(path: str) -> Stamp:
    """Something that changes when the file does."""
    try:
        found = os.stat(path)
    except OSError:
        return (path,)
    return path, found.st_ino, found.st_mtime_ns, found.st_size
