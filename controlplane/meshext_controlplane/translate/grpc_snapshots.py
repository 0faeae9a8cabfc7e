"""Snapshots of gRPC clients without a proxy: one for all that have the same view from the same place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from meshext_controlplane.snapshot import CLUSTER, ENDPOINT, LISTENER, ROUTE, Named, Resource, Snapshot
from meshext_controlplane.translate.horizons import Horizon
from meshext_controlplane.translate.localities import Client
from meshext_controlplane.translate.route_matches import Source

TYPES = (CLUSTER, ENDPOINT, LISTENER, ROUTE)
"""All that such a client asks for."""


_Served = tuple[Snapshot, tuple[Resource, ...], Snapshot]
"""A seat's snapshot, what a client serves beside it, and both together."""


@dataclass(frozen=True, slots=True)
class Seat:
    """What makes a difference between two gRPC clients; `closed` where filters guard what they send."""

    reach: tuple[str, Horizon]
    source: Source
    namespace: str
    client: Client
    closed: bool


class GrpcSnapshots:
    """The snapshots of one mesh by seat; what is as it was in `previous` is the same object."""

    def __init__(self, previous: GrpcSnapshots | None = None) -> None:
        self._before: Mapping[Seat, Snapshot] = {}
        self._made: dict[Seat, Snapshot] = {}
        self._served: dict[str, _Served] = {}
        self._served_before: Mapping[str, _Served] = {}
        if previous is not None:
            # A mesh that nobody has asked about has nothing to take over; the one before it has.
            self._before = previous._made or previous._before
            self._served_before = previous._served or previous._served_before

    def take(self, seat: Seat, make: Callable[[], Iterable[Resource]]) -> Snapshot:
        """The snapshot of a seat, made if there is none of this mesh."""
        if (made := self._made.get(seat)) is None:
            made = self._made[seat] = _sort(make(), self._before.get(seat))
        return made

    def add(self, node_id: str, shared: Snapshot, own: Iterable[Resource]) -> Snapshot:
        """A seat's snapshot with what one client has for itself: what it serves."""
        mine = tuple(own)
        if not mine:
            return shared
        known = self._served.get(node_id) or self._served_before.get(node_id)
        if known is None or known[0] is not shared or known[1] != mine:
            types = dict(shared.types)
            for url in TYPES:
                more = {each.name: each for each in mine if each.type_url == url}
                types[url] = MappingProxyType({**shared.named(url), **more}) if more else shared.named(url)
            known = (shared, mine, Snapshot(MappingProxyType(types)))
        self._served[node_id] = known
        return known[2]


def _sort(resources: Iterable[Resource], before: Snapshot | None) -> Snapshot:
    types: dict[str, dict[str, Resource]] = {url: {} for url in TYPES}
    for resource in resources:
        types[resource.type_url][resource.name] = resource
    if before is None:
        return Snapshot(MappingProxyType({url: MappingProxyType(named) for url, named in types.items()}))
    kept: dict[str, Named] = {
        url: before.named(url) if before.named(url) == named else MappingProxyType(named)
        for url, named in types.items()
    }
    same = all(named is before.named(url) for url, named in kept.items())
    return before if same else Snapshot(MappingProxyType(kept))
