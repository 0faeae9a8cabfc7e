"""Whether a snapshot holds everything that its resources name."""

from __future__ import annotations

from collections.abc import Iterator

from meshext_controlplane.snapshot import CLUSTER, EXTENSION, LISTENER, ROUTE, Resource, Snapshot
from meshext_controlplane.subscription.differences import Differences
from meshext_controlplane.subscription.references import References

_NAMING = (CLUSTER, LISTENER, ROUTE, EXTENSION)
_MOST = 5  # problems that are told


def check_snapshot(
    snapshot: Snapshot,
    references: References,
    differences: Differences,
    *,
    static: frozenset[str],
    before: Snapshot | None = None,
) -> tuple[str, ...]:
    """One line for each name that is missing, at most a few; empty where the snapshot may be served.

    `static` are clusters of the proxies' bootstrap. `before` is a snapshot that was consistent: then only
    what differs is looked at, which an endpoint's change makes nothing.
    """
    problems: list[str] = []
    for resource in _to_check(snapshot, before, differences):
        for type_url, name in references.of(resource):
            if name in snapshot.named(type_url) or (type_url == CLUSTER and name in static):
                continue
            kind, missing = (url.rpartition(".")[2] for url in (resource.type_url, type_url))
            problems.append(f"{kind} {resource.name!r} names {missing} {name!r}, which is not there")
            if len(problems) == _MOST:
                return tuple(problems)
    return tuple(problems)


def _to_check(snapshot: Snapshot, before: Snapshot | None, differences: Differences) -> Iterator[Resource]:
    if before is None or any(
        differences.between(named, snapshot.named(url)).gone for url, named in before.types.items()
    ):
        for type_url in _NAMING:
            yield from snapshot.named(type_url).values()
        return
    for type_url in _NAMING:
        named = snapshot.named(type_url)
        for name in differences.between(before.named(type_url), named).changed:
            yield named[name]
