"""A text of several documents cut into one text for each, comments and order as they were written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml

from meshext.config import Plain
from meshext.config.places import Path


class Slicer:
    """Cuts documents out of texts; each text is parsed once, however many documents it holds."""

    def __init__(self) -> None:
        self._pieces: dict[str, tuple[str, ...]] = {}

    def slice(self, text: str, path: Path, value: Plain) -> str:
        """The text of the document at `path`; one of a `kind: List`, which has none, is written as JSON."""
        if len(path) == 1 and isinstance(path[0], int):
            if text not in self._pieces:
                self._pieces[text] = tuple(_pieces(text))
            pieces = self._pieces[text]
            if path[0] < len(pieces):
                return pieces[path[0]].strip("\n") + "\n"
        return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _pieces(text: str) -> Iterator[str]:
    """The documents of a YAML stream that hold something; a JSON text is one."""
    events: Iterator[Any] = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    start, empty = 0, True
    for event in events:
        kind: Any = type(event)
        if kind is yaml.DocumentStartEvent:
            start = event.end_mark.index if event.explicit else 0  # only the first may be
            first = next(events)
            empty = type(first) is yaml.ScalarEvent and not first.value
        elif kind is yaml.DocumentEndEvent and not empty:
            yield text[start : event.start_mark.index]
