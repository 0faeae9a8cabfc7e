"""What is remembered of limit counters that had to be forgotten while they still refused."""

from __future__ import annotations

from array import array

from meshext.limits import Limit, State, spent

SLOTS = 1 << 20  # of 8 bytes


class Lapsed:
    """Until when counters refuse, in a space that never grows.

    Each counter has one slot, by its hash, which nobody outside can foresee. Whoever shares the slot of a
    counter that refuses is refused as well, as if it had used up its own limit: with so many callers over
    their limits that they fill the store, that errs on the safe side. The space (8 MiB) is taken when it is
    first needed.
    """

    def __init__(self, slots: int = SLOTS) -> None:
        self._slots = slots
        self._until: array[int] | None = None

    def add(self, identity: str, until: int) -> None:
        """This counter refuses until then (microseconds), and nobody has it any more."""
        if self._until is None:
            self._until = array("q", bytes(8 * self._slots))
        slot = hash(identity) % self._slots
        self._until[slot] = max(self._until[slot], until)

    def state(self, limit: Limit, identity: str, now: int) -> State | None:
        """The state of a counter that is not there: None for a whole one."""
        if self._until is None:
            return None
        until = self._until[hash(identity) % self._slots]
        return spent(limit, until, now) if until > now else None
