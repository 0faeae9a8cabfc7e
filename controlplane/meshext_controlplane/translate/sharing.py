"""What many proxies have alike: clusters and endpoints, made once for all clients that see the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from meshext_controlplane.model.mesh_config import MeshConfigSpec
from meshext_controlplane.snapshot import Named, Resource
from meshext_controlplane.translate.dynamic_forward import build_passthrough
from meshext_controlplane.translate.endpoints import build_assignment
from meshext_controlplane.translate.localities import Client, build_nearness
from meshext_controlplane.translate.membership import Membership
from meshext_controlplane.translate.memo import Memo
from meshext_controlplane.translate.names import BLACK_HOLE, PASSTHROUGH
from meshext_controlplane.translate.outbound_clusters import Known, Plan, build_black_hole, build_outbound
from meshext_controlplane.translate.outlook import Outlook
from meshext_controlplane.translate.services import Resolution


@dataclass(frozen=True, slots=True)
class Shared:
    """Clusters and endpoints of clients in one scope, at one place, and what they were made of."""

    outlook: Outlook
    membership: Membership
    clusters: Named
    endpoints: Named


@dataclass(frozen=True, slots=True)
class Sharing:
    """Makes them for one client."""

    outlook: Outlook
    client: Client
    membership: Membership
    config: MeshConfigSpec
    memo: Memo

    def share(self, previous: Shared | None) -> Shared:
        """All of them. What is as a whole as it was in `previous` is the same object."""
        if previous is not None and previous.outlook is self.outlook:
            changed = self.membership.changed_since(previous.membership)
            plans = [plan for service in changed for plan in self.outlook.plans_of(service)]
            clusters = _follow(previous.clusters, plans, self._cluster)
            endpoints = _follow(previous.endpoints, plans, self._assignment)
        else:
            clusters = _keep(previous.clusters if previous else None, self._all_clusters())
            endpoints = _keep(previous.endpoints if previous else None, self._all_endpoints())
        return Shared(self.outlook, self.membership, clusters, endpoints)

    def _all_clusters(self) -> Iterator[Resource]:
        yield self.memo.encode(BLACK_HOLE, (), BLACK_HOLE, build_black_hole)
        yield self.memo.encode(PASSTHROUGH, (), PASSTHROUGH, build_passthrough)
        for plan in self.outlook.plans.values():
            yield self._cluster(plan)

    def _all_endpoints(self) -> Iterator[Resource]:
        for plan in self.outlook.plans.values():
            if plan.service.resolution is Resolution.ENDPOINTS:
                yield self._assignment(plan)

    def _cluster(self, plan: Plan) -> Resource:
        endpoints = self.membership.endpoints(plan.service, plan.port)
        grpc = plan.port.protocol.is_http2 and any(each.grpc for each in endpoints)
        known = Known(self.membership.identities(plan.service), grpc)
        nearness = build_nearness(plan.effective.policy, self.client)
        config = self.config
        return self.memo.encode(
            ("cluster", plan.name, nearness.client),
            (plan, known, nearness, config.trust_domain, config.trust_domain_aliases),
            plan.name,
            lambda: build_outbound(plan, known, config, nearness),
        )

    def _assignment(self, plan: Plan) -> Resource:
        nearness = build_nearness(plan.effective.policy, self.client)
        endpoints = self.membership.endpoints(plan.service, plan.port)
        if plan.labels:
            wanted = dict(plan.labels).items()
            endpoints = tuple(each for each in endpoints if wanted <= each.labels.items())
        return self.memo.encode(
            ("endpoints", plan.name, nearness.client),
            (nearness, endpoints),
            plan.name,
            lambda: build_assignment(plan.name, endpoints, nearness),
        )


def _keep(previous: Named | None, resources: Iterator[Resource]) -> Named:
    named = MappingProxyType({each.name: each for each in resources})
    return previous if previous is not None and previous == named else named


def _follow(previous: Named, plans: Sequence[Plan], make: Callable[[Plan], Resource]) -> Named:
    """The same with the resources of these plans made anew, where they are in it."""
    made = {plan.name: make(plan) for plan in plans if plan.name in previous}
    if all(previous[name] is resource for name, resource in made.items()):
        return previous
    return MappingProxyType({**previous, **made})
