"""A dict with a bound, whose entries expire."""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

V = TypeVar("V")


def forget(_key: str, _held: int) -> None:
    """Nothing comes of a lost entry."""


@dataclass(slots=True)
class _Entry(Generic[V]):
    value: V
    expires: int | None  # microseconds
    due: int | None = None  # when the heap looks at this entry; never after `expires`
    held: int = 0  # until when it is not to be forgotten
    release: int | None = None  # when the other heap looks; never after `held`


class Table(Generic[V]):
    """At most `max_entries` entries; times are in microseconds.

    A full table forgets what has expired, then what was written longest ago, and what is held only when
    everything is; `on_lost` is told of that, with the time until which it was held.

    A heap holds one look per entry rather than one per write: a look that comes before the entry's end is
    put off to it, so a counter hit a million times has one place in the heap.
    """

    LOOKS = 64  # looks per new entry, so that no single write pays for clearing a whole table

    def __init__(self, max_entries: int, *, on_lost: Callable[[str, int], None] = forget) -> None:
        self._max = max_entries
        self._on_lost = on_lost
        self._free: OrderedDict[str, _Entry[V]] = OrderedDict()  # oldest write first
        self._kept: OrderedDict[str, _Entry[V]] = OrderedDict()
        self._due: list[tuple[int, str]] = []
        self._releases: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._free) + len(self._kept)

    def get(self, key: str, now: int) -> V | None:
        """The value; None where there is none, or its time is over."""
        entry = self._find(key)
        if entry is None or (entry.expires is not None and entry.expires <= now):
            return None
        return entry.value

    def expires(self, key: str) -> int | None:
        """When the entry ends; None where it never does or is not there."""
        entry = self._find(key)
        return None if entry is None else entry.expires

    def put(self, key: str, value: V, now: int, *, expires: int | None, held: int | None = None) -> None:
        """Write an entry that lives until `expires` (None: for good) and is not forgotten before `held`."""
        entry = self._find(key)
        if entry is None:
            self._make_room(now)
            entry = _Entry(value, expires)
        entry.value, entry.expires, entry.held = value, expires, held or 0
        home, other = (self._kept, self._free) if held else (self._free, self._kept)
        home[key] = entry
        home.move_to_end(key)
        other.pop(key, None)
        if expires is not None and (entry.due is None or expires < entry.due):
            self._schedule(key, entry, expires)
        if not held:
            entry.release = None
        elif entry.release is None or held < entry.release:
            self._schedule_release(key, entry, held)

    def hold(self, key: str, held: int) -> None:
        """Do not forget the entry before then; silent where there is none."""
        entry = self._find(key)
        if entry is None or held <= entry.held:
            return
        entry.held = held
        if self._free.pop(key, None) is not None:
            self._kept[key] = entry
        if entry.release is None:
            self._schedule_release(key, entry, held)

    def remove(self, key: str) -> None:
        """Forget the entry; silent where there is none."""
        self._free.pop(key, None)
        self._kept.pop(key, None)

    def _find(self, key: str) -> _Entry[V] | None:
        return self._free.get(key) or self._kept.get(key)

    def _make_room(self, now: int) -> None:
        for _ in range(self.LOOKS):
            if not self._due or self._due[0][0] > now:
                break
            self._look(now)
        while len(self) >= self._max:
            if not self._free:
                self._release(now)
            if self._free:
                self._free.popitem(last=False)
            else:
                key, entry = self._kept.popitem(last=False)
                self._on_lost(key, entry.held)

    def _look(self, now: int) -> None:
        due, key = heapq.heappop(self._due)
        entry = self._find(key)
        if entry is None or entry.due != due:
            return
        entry.due = None
        if entry.expires is None:
            return
        if entry.expires <= now:
            self.remove(key)
        else:
            self._schedule(key, entry, entry.expires)

    def _release(self, now: int) -> None:
        """Let go of what is not held any more."""
        while self._releases and self._releases[0][0] <= now:
            at, key = heapq.heappop(self._releases)
            entry = self._kept.get(key)
            if entry is None or entry.release != at:
                continue
            entry.release = None
            if entry.held > now:
                self._schedule_release(key, entry, entry.held)
            else:
                self._free[key] = self._kept.pop(key)

    def _schedule(self, key: str, entry: _Entry[V], due: int) -> None:
        entry.due = due
        heapq.heappush(self._due, (due, key))
        if len(self._due) > 2 * len(self) + self.LOOKS:
            live = [(e.due, k) for part in (self._free, self._kept) for k, e in part.items()]
            self._due = [(due, key) for due, key in live if due is not None]
            heapq.heapify(self._due)

    def _schedule_release(self, key: str, entry: _Entry[V], release: int) -> None:
        entry.release = release
        heapq.heappush(self._releases, (release, key))
        if len(self._releases) > 2 * len(self._kept) + self.LOOKS:
            live = [(e.release, k) for k, e in self._kept.items()]
            self._releases = [(at, k) for at, k in live if at is not None]
            heapq.heapify(self._releases)
