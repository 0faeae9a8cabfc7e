"""The workloads of the mesh: who is there, who has gone a moment ago, who may say so.

No I/O and no clock of its own. A workload lives as long as the stream that registered it, and for a grace
period after that, so that neither an agent nor a control plane that starts again takes it from its peers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from meshext.errors import MeshextError
from meshext_controlplane.identity.limits import Limits, check_registration
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.model.workload import State, Workload

GRACE = 30.0  # seconds
MOST_OF_ONE_IDENTITY = 1_000

Key: TypeAlias = "tuple[str, str]"
"""Namespace and name."""


class NotAllowed(MeshextError):
    """A workload's name belongs to another identity, or there are too many of one."""


class Journal(Protocol):
    """Keeps registrations over a restart of the control plane."""

    def keep(self, workload: Workload) -> None:
        """Store it, in the place of the one with the same namespace and name."""

    def forget(self, key: Key) -> None:
        """Remove it."""


@dataclass(frozen=True, slots=True)
class _Entry:
    workload: Workload
    stream: object | None  # None after the stream has ended
    until: float = 0.0  # when it is dropped, where there is no stream


class Registry:
    """Every workload by namespace and name; `changed` is called after each change that peers can see."""

    def __init__(
        self,
        journal: Journal,
        *,
        clock: Callable[[], float],
        changed: Callable[[], None],
        grace: float = GRACE,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._changed = changed
        self._grace = grace
        self._entries: dict[Key, _Entry] = {}

    def restore(self, workloads: Iterable[Workload]) -> None:
        """What was known before a restart: each is kept for the grace period, its stream may come back."""
        until = self._clock() + self._grace
        # What ran beside them then, nobody says now.
        known = (replace(each, serving=None) for each in workloads)
        self._entries.update({to_key(each): _Entry(each, None, until) for each in known})

    def register(self, workload: Workload, limits: Limits, stream: object) -> Workload:
        """Take or replace a workload; what peers see of it. NotAllowed or LimitError where it may not be so.

        The same identity may take its own name over by a newer stream, as an agent does that starts again
        before its old connection is known to be dead.
        """
        held = self._entries.get(to_key(workload))
        self._check_name(workload, held)
        ports = [port.number for port in workload.ports]
        taken = replace(workload, labels=check_registration(limits, labels=workload.labels, ports=ports))
        self._entries[to_key(workload)] = _Entry(taken, stream)
        if held is None or held.workload != taken:
            self._journal.keep(taken)
            self._changed()
        return taken

    def leave(self, key: Key, stream: object) -> None:
        """The stream has ended; one that was replaced by a newer one changes nothing."""
        held = self._entries.get(key)
        if held is None or held.stream is not stream:
            return
        if held.workload.state is State.DRAINING:
            self._drop(key)
            self._changed()
        else:
            self._entries[key] = _Entry(held.workload, None, self._clock() + self._grace)

    def expire(self) -> float | None:
        """Drop those whose grace period has ended; the time at which the next one's will."""
        now = self._clock()
        over = [key for key, entry in self._entries.items() if entry.stream is None and entry.until <= now]
        for key in over:
            self._drop(key)
        if over:
            self._changed()
        return min((entry.until for entry in self._entries.values() if entry.stream is None), default=None)

    def banish(self, identity: SpiffeId) -> None:
        """Drop every workload of an identity at once."""
        theirs = [key for key, entry in self._entries.items() if entry.workload.identity == identity]
        for key in theirs:
            self._drop(key)
        if theirs:
            self._changed()

    def find(self, namespace: str, name: str) -> Workload | None:
        """The workload of that name, None where there is none."""
        held = self._entries.get((namespace, name))
        return held.workload if held else None

    def holds(self, key: Key, stream: object) -> bool:
        """Whether this stream is still the one that speaks for the workload."""
        held = self._entries.get(key)
        return held is not None and held.stream is stream

    @property
    def workloads(self) -> tuple[Workload, ...]:
        """All of them, by namespace and name."""
        return tuple(self._entries[key].workload for key in sorted(self._entries))

    def _drop(self, key: Key) -> None:
        del self._entries[key]
        self._journal.forget(key)

    def _check_name(self, workload: Workload, held: _Entry | None) -> None:
        if held is not None and held.workload.identity != workload.identity:
            raise NotAllowed(
                f"workload {workload.namespace}/{workload.name} belongs to {held.workload.identity}; "
                "choose another name"
            )
        if held is None:
            theirs = sum(each.workload.identity == workload.identity for each in self._entries.values())
            if theirs >= MOST_OF_ONE_IDENTITY:
                raise NotAllowed(f"{workload.identity} has {theirs} workloads already, which is the most")


def to_key(workload: Workload) -> Key:
    """Under what a workload is known."""
    return (workload.namespace, workload.name)


def to_node_id(key: Key) -> str:
    """What a workload's Envoy calls itself."""
    namespace, name = key
    return f"{name}.{namespace}"
