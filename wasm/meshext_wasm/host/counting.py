"""What a module asks of its host, counted by callback."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from meshext_wasm.host.guest import Guest

SHORT = "proxy_"


class CountingGuest:
    """A guest that keeps how often each host function was called in each callback."""

    def __init__(self, guest: Guest) -> None:
        self.machine = guest.machine
        self._guest = guest
        self.calls: dict[str, Counter[str]] = {}

    def has(self, name: str) -> bool:
        """Whether it exports a function of that name."""
        return self._guest.has(name)

    def call(self, name: str, *arguments: int) -> int:
        """Call one, and count what it calls."""
        before = len(self.machine.calls)
        result = self._guest.call(name, *arguments)
        if self._guest.has(name):
            found = self.calls.setdefault(name, Counter())
            found.update(each.removeprefix(SHORT) for each in self.machine.calls[before:])
        return result

    @contextmanager
    def counted(self) -> Iterator[dict[str, Counter[str]]]:
        """What was called until the end of the block, by callback."""
        self.calls = {}
        yield self.calls
