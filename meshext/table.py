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

    An agenda holds one look per entry rather than one per write: a look that comes before the entry's end
    is put off to it, so a counter hit a million times has one place in it.
    """

    LOOKS = 64  # looks per new entry, so that no single write pays for clearing a whole table

    def __init__(self, max_entries: int, *, on_lost: Callable[[str, int], None] = forget) -> None:
        self._max = max_entries
        self._on_lost = on_lost
        self._free: OrderedDict[str, _Entry[V]] = OrderedDict()  # oldest write first
        self._kept: OrderedDict[str, _Entry[V]] = OrderedDict()
        self._ends = _Agenda(self._is_end)
        self._releases = _Agenda(self._is_release)

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
            look = self._ends.take(now)
            if look is None:
                break
            self._look(*look, now)
        while len(self) >= self._max:
            if not self._free:
                self._release(now)
            if self._free:
                self._free.popitem(last=False)
            else:
                key, entry = self._kept.popitem(last=False)
                self._on_lost(key, entry.held)

    def _look(self, due: int, key: str, now: int) -> None:
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
        while look := self._releases.take(now):
            at, key = look
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
        self._ends.add(due, key, len(self))

    def _schedule_release(self, key: str, entry: _Entry[V], release: int) -> None:
        entry.release = release
        self._releases.add(release, key, len(self._kept))

    def _is_end(self, at: int, key: str) -> bool:
        entry = self._find(key)
        return entry is not None and entry.due == at

    def _is_release(self, at: int, key: str) -> bool:
        entry = self._kept.get(key)
        return entry is not None and entry.release == at


class _Agenda:
    """When to look at which key.

    Looks that nobody wants any more are dropped a few with each new one, so that no single call pays for
    all: they are taken off the end of a heap, which leaves a heap.
    """

    STEPS = 8
    SLACK = 64

    def __init__(self, is_wanted: Callable[[int, str], bool]) -> None:
        self._is_wanted = is_wanted
        self._looks: list[tuple[int, str]] = []
        self._sifted: list[tuple[int, str]] = []  # being gone through for what is still wanted

    def __len__(self) -> int:
        return len(self._looks) + len(self._sifted)

    def add(self, at: int, key: str, wanted: int) -> None:
        """One more look, where about so many are wanted."""
        heapq.heappush(self._looks, (at, key))
        for _ in range(min(self.STEPS, len(self._sifted))):
            look = self._sifted.pop()
            if self._is_wanted(*look):
                heapq.heappush(self._looks, look)
        if not self._sifted and len(self._looks) > 2 * wanted + self.SLACK:
            self._looks, self._sifted = self._sifted, self._looks

    def take(self, now: int) -> tuple[int, str] | None:
        """The earliest look that is due, taken off."""
        heaps = [heap for heap in (self._looks, self._sifted) if heap]
        heap = min(heaps, key=lambda each: each[0], default=self._looks)
        return heapq.heappop(heap) if heap and heap[0][0] <= now else None
