"""What happens to a mesh on this machine, for a person and for a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`kind` is `stage`, `ready`, `ended`, `restarted`, `warning` or `stopping`; `text` one line of it.

    `lines` are the last ones of a log where a process has ended, `facts` what a program may want to know.
    """

    kind: str
    text: str
    lines: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def to_json(self) -> dict[str, Any]:
        """The event as one object of JSON."""
        return {"event": self.kind, "text": self.text, "last_lines": list(self.lines), **self.facts}
