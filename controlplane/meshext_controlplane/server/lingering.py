"""What filters need that were taken away, kept while connections of the listener before still ask them.

A listener without a filter is another listener: connections of the one before end within Envoy's drain time,
and until then their requests are still asked about. Without the filter's configuration (ECDS) or its cluster
each of them would fail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType

from meshext_controlplane.snapshot import CLUSTER, EXTENSION, Resource, Snapshot

LINGER = 40.0
"""Seconds: more than the drain time of a sidecar, and what it takes to tell it."""

MOST_PROXIES = 10_000
PREFIX = "filter|"
KEPT = (CLUSTER, EXTENSION)

_Gone = dict[tuple[str, str], tuple[Resource, float]]  # by type and name: what it was, until when it stays


@dataclass(slots=True)
class _Proxy:
    """What one proxy has: the snapshot that was translated, what stays beside it, and both together."""

    translated: Snapshot
    gone: _Gone = field(default_factory=dict)
    whole: Snapshot | None = None


class Lingering:
    """Adds to each proxy's snapshots what it may still need; `later` asks for a look in so many seconds."""

    def __init__(self, *, clock: Callable[[], float], later: Callable[[float], None]) -> None:
        self._clock = clock
        self._later = later
        self._proxies: dict[str, _Proxy] = {}

    def hold(self, node_id: str, snapshot: Snapshot) -> Snapshot:
        """The snapshot with what it does not need and the one before did."""
        held = self._proxies.pop(node_id, None) or _Proxy(snapshot)
        self._proxies[node_id] = held  # the one that was asked for last is the last
        if len(self._proxies) > MOST_PROXIES:
            del self._proxies[next(iter(self._proxies))]
        if held.translated is not snapshot:
            self._note_gone(held, snapshot)
            held.translated, held.whole = snapshot, None
        now = self._clock()
        stay = {
            place: each
            for place, each in held.gone.items()
            if each[1] > now and place[1] not in snapshot.named(place[0])
        }
        if held.whole is None or stay.keys() != held.gone.keys():
            held.gone, held.whole = stay, _with(snapshot, stay)
        return held.whole

    def _note_gone(self, held: _Proxy, snapshot: Snapshot) -> None:
        until = self._clock() + LINGER
        gone = {
            (type_url, name): (resource, until)
            for type_url in KEPT
            for name, resource in held.translated.named(type_url).items()
            if name.startswith(PREFIX) and name not in snapshot.named(type_url)
        }
        if gone:
            held.gone |= gone
            self._later(LINGER)


def _with(snapshot: Snapshot, gone: _Gone) -> Snapshot:
    types = dict(snapshot.types)
    for type_url in KEPT:
        more = {name: resource for (url, name), (resource, _) in gone.items() if url == type_url}
        if more:
            types[type_url] = MappingProxyType({**snapshot.named(type_url), **more})
    return Snapshot(MappingProxyType(types)) if gone else snapshot
