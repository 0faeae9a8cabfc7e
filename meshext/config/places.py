"""Where in a text a value stands: asked for only once something is wrong with it, so reading stays fast."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any

import yaml

Path = tuple[str | int, ...]
"""From the document's number (0 for a single one) through keys and positions to a value."""


def find_lines(text: str, paths: Collection[Path]) -> dict[Path, int]:
    """The line (from 1) of each path in a text of YAML or JSON that has been read before.

    A path that is not there has the line of the longest part of it that is.
    """
    wanted = {path[:length] for path in paths for length in range(1, len(path) + 1)}
    found: dict[Path, int] = {}
    with suppress(yaml.YAMLError, StopIteration):  # JSON that is no YAML: what was found until there is right
        _note(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), wanted, found)
    return {path: _nearest(path, found) for path in paths}


def _nearest(path: Path, found: dict[Path, int]) -> int:
    for length in range(len(path), 0, -1):
        if path[:length] in found:
            return found[path[:length]]
    return 1


def _note(events: Iterator[Any], wanted: set[Path], found: dict[Path, int]) -> None:
    number = 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            first = next(events)
            empty = isinstance(first, yaml.ScalarEvent) and not first.value
            if not empty:  # as in `parse_documents`, which leaves empty ones out
                found[(number,)] = first.start_mark.line + 1
            _walk(events, first, (number,), wanted, found)
            number += not empty


def _walk(events: Iterator[Any], event: Any, path: Path, wanted: set[Path], found: dict[Path, int]) -> None:
    if isinstance(event, yaml.SequenceStartEvent):
        position = 0
        while not isinstance(item := next(events), yaml.SequenceEndEvent):
            _enter(events, item, item, (*path, position), wanted, found)
            position += 1
    elif isinstance(event, yaml.MappingStartEvent):
        while not isinstance(key := next(events), yaml.MappingEndEvent):
            name = key.value if isinstance(key, yaml.ScalarEvent) else ""
            _enter(events, key, next(events), (*path, name), wanted, found)


def _enter(
    events: Iterator[Any], start: Any, event: Any, path: Path, wanted: set[Path], found: dict[Path, int]
) -> None:
    if path in wanted:
        found.setdefault(path, start.start_mark.line + 1)
    _walk(events, event, path, wanted, found)
