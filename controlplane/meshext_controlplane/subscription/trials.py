"""Who is to blame when a proxy refuses several resources at once without saying which."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence


class Trials:
    """Groups of suspects. The first is sent alone, the others wait; a group that is refused is halved."""

    __slots__ = ("_groups",)

    def __init__(self) -> None:
        self._groups: deque[frozenset[str]] = deque()

    def __bool__(self) -> bool:
        return bool(self._groups)

    def holds_back(self, name: str) -> bool:
        """Whether that name has to wait for the verdict on others."""
        return bool(self._groups) and name not in self._groups[0]

    def accept(self) -> None:
        """The first group is judged."""
        if self._groups:
            self._groups.popleft()

    def split(self, suspects: Sequence[str]) -> None:
        """One of several was refused: try the halves of those that are still wanted, one after the other."""
        self.accept()
        middle = len(suspects) // 2
        self._groups.extendleft(
            half for half in map(frozenset, (suspects[middle:], suspects[:middle])) if half
        )


def find_named(suspects: Sequence[str], error: str) -> tuple[str, ...]:
    """Those of the suspects that Envoy's text names."""
    return tuple(name for name in suspects if re.search(rf"(?<![\w|.-]){re.escape(name)}(?![\w|-])", error))
