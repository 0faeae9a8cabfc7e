"""Which source files and configurations were loaded, by what was read of each.

A worker tells its supervisor, so that all workers serve one version, and knows what to watch for changes.
Only what belongs to the filters counts: their files, the modules beside them, the packages of
`module:Class`, and files of configuration. Source is read anew and never taken from Python's cache, which
goes by the second of the last change; an author may save twice in one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any


@dataclass(frozen=True, slots=True)
class Sources:
    """What was read: the path of each file and the digest of its content."""

    files: dict[str, str] = field(default_factory=dict)

    def note(self, path: str, content: bytes) -> None:
        """A file was read."""
        self.files[path] = digest(content)

    def changed(self) -> list[str]:
        """Files that are no longer as they were when they were read; a pipe can be read only once."""
        return [path for path, read in self.files.items() if os.path.isfile(path) and digest_of(path) != read]

    def fingerprint(self) -> str:
        """One word for all of it."""
        return digest(repr(sorted(self.files.items())).encode())


LOADED = Sources()
"""What this process has loaded."""


def digest(content: bytes) -> str:
    """A short name for content."""
    return sha256(content).hexdigest()[:24]


def digest_of(path: str) -> str:
    """The digest of a file as it is now; "" where it can not be read."""
    try:
        return digest(Path(path).read_bytes())
    except OSError:
        return ""


class FreshLoader(SourceFileLoader):
    """Loads source, never what is cached, and notes what it read."""

    def path_stats(self, path: object) -> Mapping[str, Any]:
        """Says that there is nothing to compare a cache with (`importlib.abc.SourceLoader`)."""
        raise OSError(path)

    def get_data(self, path: str) -> bytes:
        """The content of a file."""
        content = super().get_data(path)
        LOADED.note(path, content)
        return content


class FreshFinder:
    """Finds the modules of some top-level packages, to be loaded from their source."""

    def __init__(self) -> None:
        self.tops: set[str] = set()

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of such a module; None for every other one."""
        if name.partition(".")[0] not in self.tops:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = FreshLoader(name, spec.loader.path)
        return spec


def load_fresh(module: str) -> None:
    """Let the package that `module` is in be loaded from its source, as far as it is not loaded yet."""
    finders = [finder for finder in sys.meta_path if isinstance(finder, FreshFinder)]
    finder = finders[0] if finders else FreshFinder()
    if not finders:
        sys.meta_path.insert(0, finder)
    finder.tops.add(module.partition(".")[0])
