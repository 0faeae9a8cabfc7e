"""The files of filters: one that did not load is tried again when they change."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

Stamp = tuple[tuple[str, int, int], ...]
"""Each module's name, time of its last change, and size."""


def stamp_specs(specs: Iterable[str]) -> dict[str, Stamp]:
    """How the file of each spec and the modules beside it stand; a filter that is installed has none."""
    return {spec: _stamp(Path(spec.rpartition(":")[0])) for spec in specs if ".py:" in spec}


def _stamp(file: Path) -> Stamp:
    found: list[tuple[str, int, int]] = []
    with suppress(OSError):
        for each in sorted(file.parent.glob("*.py")):
            stat = each.stat()
            found.append((each.name, stat.st_mtime_ns, stat.st_size))
    return tuple(found)
