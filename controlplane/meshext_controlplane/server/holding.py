"""Filters that came while a workload served, held until they run: its Envoy asks no filter that is not there.

Who is READY without a filter goes on so, and is asked about as soon as the filter serves. Nothing else is
held: a workload that has not been READY yet, or is no more, has every filter in its Envoy and none of its
requests is answered without. A filter that its Envoy may have been given is never held again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from meshext_controlplane.model.workload import State, Workload
from meshext_controlplane.server.registry import Key, to_key
from meshext_controlplane.translate.filter_policy import FilterService

NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was decided about a workload, and of what."""

    workload: Workload
    services: Sequence[FilterService]
    names: frozenset[str]
    held: frozenset[str]


class Holding:
    """Decides which filters of a workload are held. No I/O; what it knows goes with a restart, as does what
    it holds: then everything is asked."""

    def __init__(self) -> None:
        self._seen: dict[Key, _Seen] = {}

    @property
    def count(self) -> int:
        """Filters that are held, at all workloads."""
        return sum(len(each.held) for each in self._seen.values())

    def of(self, workload: Workload, services: Sequence[FilterService]) -> frozenset[str]:
        """The names of those to hold. `services` are all that run beside the workload, the same object as
        long as they are the same."""
        seen = self._seen.get(to_key(workload))
        if seen is not None and seen.workload is workload and seen.services is services:
            return seen.held
        names = frozenset(each.name for each in services)
        held = NONE
        if seen is not None and workload.state is State.READY and workload.serving is not None:
            held = ((names - seen.names) | seen.held) & names - workload.serving
        self._seen[to_key(workload)] = _Seen(workload, services, names, held)
        return held

    def release(self, key: Key) -> bool:
        """Nobody says any more how the workload is: hold nothing there. Whether something was held."""
        seen = self._seen.get(key)
        if seen is None or not seen.held:
            return False
        self._seen[key] = _Seen(seen.workload, seen.services, seen.names, NONE)
        return True

    def retain(self, keys: Collection[Key]) -> None:
        """Only these workloads are there."""
        for key in [each for each in self._seen if each not in keys]:
            del self._seen[key]
