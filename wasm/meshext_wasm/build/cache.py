"""A folder of the user's where what was compiled once stays.

Names are hashes of everything that goes in, so nothing in it is ever wrong; what is old is only in the way.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from meshext_wasm.llvm.recipe import VERSION

KEPT = 2000
"""Files that stay when a new one is written, the newest."""


@dataclass(frozen=True, slots=True)
class Cache:
    """Bytes by name. What can not be read or written is as if it were not there."""

    folder: Path

    def get(self, name: str) -> bytes | None:
        """What was put under a name."""
        try:
            return (self.folder / name).read_bytes()
        except OSError:
            return None

    def put(self, name: str, content: bytes) -> None:
        """Keep it, whole or not at all, and let go of the oldest."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as file:
                file.write(content)
            os.replace(file.name, self.folder / name)
            self._let_go()
        except OSError:
            return

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One process at a time: what is dear to make is made once, and others wait for it."""
        with suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            lock = os.open(f"{self.folder}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            yield  # what can not be kept is made by everybody
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _let_go(self) -> None:
        """Remove what is over KEPT; most writes find less, and need not ask every file for its age."""
        paths = list(self.folder.iterdir())
        if len(paths) > KEPT:
            for path in sorted(paths, key=lambda each: -each.stat().st_mtime)[KEPT:]:
                path.unlink(missing_ok=True)


def user_cache() -> Cache:
    """The folder that the system has for this."""
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Cache(base / "meshext" / "wasm")


def key_of(paths: Iterable[Path]) -> str:
    """A name for what files, this LLVM and this Python make."""
    digest = hashlib.sha256(f"{VERSION}\n{sys.version}\n".encode())
    for path in sorted(paths):
        content = path.read_bytes()
        digest.update(f"{path.name}\n{len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:32]


def text_key(text: str) -> str:
    """A name for the object of a text."""
    return hashlib.sha256(f"{VERSION}\n{text}".encode()).hexdigest()[:32]
