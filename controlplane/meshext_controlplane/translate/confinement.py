"""Destinations of a gateway that are whatever host a request names: only hosts and ports of that service.

A sidecar's routes are by the host and port of a service. A gateway's are by the hosts of a VirtualService, be
it `*`, with any port; without this a stranger could have it call whom he likes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from meshext_controlplane.model.hosts import covers
from meshext_controlplane.model.http_route import Destination
from meshext_controlplane.translate.balancing import HashPolicy
from meshext_controlplane.translate.names import BLACK_HOLE
from meshext_controlplane.translate.outbound_clusters import Plan
from meshext_controlplane.translate.outlook import Outlook
from meshext_controlplane.translate.route_policies import Route
from meshext_controlplane.translate.services import Resolution


@dataclass(frozen=True, slots=True)
class Confined:
    """Where documents' destinations lead for requests to a host, which may be a pattern."""

    outlook: Outlook
    host: str

    def cluster(self, destination: Destination, namespace: str, port: int) -> str:
        """The cluster; BLACK_HOLE where it would go to other hosts than those of the service."""
        name = self.outlook.cluster(destination, namespace, port)
        asked = self._as_asked(name)
        return name if asked is None or covers(asked.service.host, self.host) else BLACK_HOLE

    def hash_policy(self, cluster: str) -> HashPolicy | None:
        """What requests to a cluster are known by."""
        return self.outlook.hash_policy(cluster)

    def confine(self, route: Route) -> None:
        """Let a route that goes where the request asks match the service's port alone, or none."""
        ports = {plan.port.number for plan in map(self._as_asked, _clusters(route)) if plan is not None}
        if ports:
            known = "|".join(map(str, sorted(ports)))
            route.match.headers.add(name=":authority").string_match.safe_regex.regex = f"[^:]+(:({known}))?"

    def _as_asked(self, cluster: str) -> Plan | None:
        plan = self.outlook.plans.get(cluster)
        return plan if plan is not None and plan.service.resolution is Resolution.AS_ASKED else None


def _clusters(route: Route) -> Iterator[str]:
    """The clusters that a route may lead to, copies too."""
    yield route.route.cluster
    yield from (each.name for each in route.route.weighted_clusters.clusters)
    yield from (each.cluster for each in route.route.request_mirror_policies)
