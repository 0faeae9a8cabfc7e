"""Clusters of filters that were taken away, kept while connections of the listener before still need them.

A listener without a filter is another listener: connections of the one before end within Envoy's drain time,
and until then their requests are still asked about. Without the cluster each of them would fail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType

from meshext_controlplane.snapshot import CLUSTER, Resource, Snapshot

LINGER = 40.0
"""Seconds: more than the drain time of a sidecar, and what it takes to tell it."""

MOST_PROXIES = 10_000
PREFIX = "filter|"


@dataclass(slots=True)
class _Proxy:
    """What one proxy has: the snapshot that was translated, the clusters beside it, and both together."""

    translated: Snapshot
    clusters: dict[str, tuple[Resource, float]] = field(default_factory=dict)
    whole: Snapshot | None = None


class Lingering:
    """Adds to each proxy's snapshots what it may still need; `later` asks for a look in so many seconds."""

    def __init__(self, *, clock: Callable[[], float], later: Callable[[float], None]) -> None:
        self._clock = clock
        self._later = later
        self._proxies: dict[str, _Proxy] = {}

    def hold(self, node_id: str, snapshot: Snapshot) -> Snapshot:
        """The snapshot with the clusters that are not needed by it and were a moment ago."""
        held = self._proxies.pop(node_id, None) or _Proxy(snapshot)
        self._proxies[node_id] = held  # the one that was asked for last is the last
        if len(self._proxies) > MOST_PROXIES:
            del self._proxies[next(iter(self._proxies))]
        if held.translated is not snapshot:
            self._note_gone(held, snapshot)
            held.translated, held.whole = snapshot, None
        now = self._clock()
        stay = {
            name: each
            for name, each in held.clusters.items()
            if each[1] > now and name not in snapshot.named(CLUSTER)
        }
        if held.whole is None or stay.keys() != held.clusters.keys():
            held.clusters = stay
            held.whole = _with(snapshot, stay)
        return held.whole

    def _note_gone(self, held: _Proxy, snapshot: Snapshot) -> None:
        clusters = snapshot.named(CLUSTER)
        gone = {
            name: resource
            for name, resource in held.translated.named(CLUSTER).items()
            if name.startswith(PREFIX) and name not in clusters
        }
        if gone:
            until = self._clock() + LINGER
            held.clusters |= {name: (resource, until) for name, resource in gone.items()}
            self._later(LINGER)


def _with(snapshot: Snapshot, clusters: dict[str, tuple[Resource, float]]) -> Snapshot:
    if not clusters:
        return snapshot
    named = dict(snapshot.named(CLUSTER)) | {name: resource for name, (resource, _) in clusters.items()}
    return Snapshot(MappingProxyType({**snapshot.types, CLUSTER: MappingProxyType(named)}))
