"""What a folder's documents were when they were last in force, kept over a restart of the control plane.

A control plane that starts with a mistake in a file, or with a folder whose mount has failed, would else
serve a mesh without what is missing: a DENY that is not there lets everybody in.

One JSON file of mode 0600, since configurations of filters may hold secrets. It is written whole or not at
all, and one that can not be read is as none.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from meshext_controlplane.sources.configuration import Configuration
from meshext_controlplane.sources.folder import EMPTY, FILES_RANK, FileReading, FolderReading
from meshext_controlplane.sources.places import Origin
from meshext_controlplane.sources.reading import Reading, read_text

FORM = 1


def save_last_good(place: Path, configuration: Configuration) -> None:
    """Keep the documents that are in force and came from files; OSError where that is not possible."""
    files: dict[str, list[object]] = {}
    for placed in configuration.good.values():
        if placed.origin.rank[0] == FILES_RANK:
            files.setdefault(placed.origin.source, []).append(placed.value)
    text = json.dumps({"form": FORM, "files": files})
    fresh = place.with_name(f"{place.name}.new")
    fresh.unlink(missing_ok=True)  # its mode would stay
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(place)


def load_last_good(place: Path) -> FolderReading:
    """The folder as it was then, file by file; EMPTY where nothing was kept, or it can not be read."""
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
        if found["form"] != FORM:
            return EMPTY
        files = {name: FileReading((), "", _read(name, values)) for name, values in found["files"].items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return EMPTY
    return FolderReading(files=MappingProxyType(files))


def _read(source: str, values: Iterable[Any]) -> Reading:
    """The documents of a file in one text, each on a line of its own."""
    lines = "".join(f"---\n{json.dumps(value)}\n" for value in values)
    return read_text(Origin(source, lines, (FILES_RANK, source, 0.0)))
