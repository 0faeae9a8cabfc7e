"""What clients of one scope have: the clusters that they may use, and where documents' destinations lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meshext_controlplane.model.hosts import qualify_host
from meshext_controlplane.model.http_route import Destination
from meshext_controlplane.model.load_balancing import ConsistentHash
from meshext_controlplane.translate.balancing import HashPolicy, build_hash_policy
from meshext_controlplane.translate.catalog import Catalog
from meshext_controlplane.translate.horizons import EVERYTHING, Horizon
from meshext_controlplane.translate.names import BLACK_HOLE, name_outbound
from meshext_controlplane.translate.outbound_clusters import Plan
from meshext_controlplane.translate.rules import NO_RULE, Effective
from meshext_controlplane.translate.services import MeshService, Resolution
from meshext_controlplane.translate.virtual_services import Visible, list_destinations

_PLAIN = Effective()


class Outlook:
    """The view of a scope, as far as the horizon goes. Made of documents only."""

    def __init__(self, catalog: Catalog, scope: str, horizon: Horizon = EVERYTHING) -> None:
        self.scope = scope
        self.horizon = horizon
        mode = horizon.mode or catalog.config.outbound_traffic_policy.mode
        self.allow_any = mode == "ALLOW_ANY"
        seen = {each.host: each for each in catalog.seen(scope)}
        self.services: Mapping[str, MeshService] = seen
        self.virtual_services: Visible = catalog.virtual_services(scope)
        served = seen
        if not horizon.is_whole:
            self.virtual_services = _hide_documents(self.virtual_services, horizon)
            self.services = _hide_services(seen, self.virtual_services, horizon)
            needed = {host: seen[host] for host in catalog.horizons.needed if host in seen}
            served = {**self.services, **needed}
        self._plans_of = {service: _plan(catalog, scope, horizon, service) for service in served.values()}
        self.plans: Mapping[str, Plan] = {
            plan.name: plan for plans in self._plans_of.values() for plan in plans
        }

    def plans_of(self, service: MeshService) -> Sequence[Plan]:
        """The plans of one service; none if the scope does not see it."""
        return self._plans_of.get(service, ())

    def cluster(self, destination: Destination, namespace: str, port: int) -> str:
        """The cluster of a destination in a document of that namespace; BLACK_HOLE if there is none.

        Without a port it is the only one of the service, else the one that was asked for.
        """
        service = self.services.get(qualify_host(destination.host, namespace))
        if service is None:
            return BLACK_HOLE
        if destination.port is not None:
            port = destination.port.number
        elif len(service.ports) == 1:
            port = service.ports[0].number
        name = name_outbound(port, destination.subset, service.host)
        return name if name in self.plans else BLACK_HOLE

    def consistent_hash(self, cluster: str) -> ConsistentHash | None:
        """What the rule of a cluster hashes."""
        plan = self.plans.get(cluster)
        balancer = plan.effective.policy.load_balancer if plan else None
        return balancer.consistent_hash if balancer else None

    def hash_policy(self, cluster: str) -> HashPolicy | None:
        """What requests to a cluster are known by."""
        consistent = self.consistent_hash(cluster)
        return build_hash_policy(consistent) if consistent else None


def _hide_documents(visible: Visible, horizon: Horizon) -> Visible:
    """The VirtualServices for hosts that are seen."""
    return Visible(
        {
            host: document
            for host, document in visible.by_host.items()
            if horizon.sees(host, document.metadata.namespace)
        }
    )


def _hide_services(
    seen: Mapping[str, MeshService], documents: Visible, horizon: Horizon
) -> dict[str, MeshService]:
    """The services that are seen, and those that the documents lead to, as in Istio."""
    led = {
        qualify_host(destination.host, document.metadata.namespace)
        for document in documents.by_host.values()
        for destination in list_destinations(document)
    }
    return {
        host: service
        for host, service in seen.items()
        if host in led or horizon.sees(host, service.namespace)
    }


def _plan(catalog: Catalog, scope: str, horizon: Horizon, service: MeshService) -> list[Plan]:
    rule = catalog.rules.find(service.host, service.namespace, scope, horizon.selected)
    plans = []
    for port in service.ports:
        for subset in ("", *rule.subsets):
            effective = _PLAIN if rule is NO_RULE else rule.effective(port.number, subset)
            labels = tuple(rule.subsets[subset].labels.items()) if subset else ()
            if not (subset and service.resolution is Resolution.AS_ASKED):
                plans.append(
                    Plan(service=service, port=port, subset=subset, labels=labels, effective=effective)
                )
    return plans
