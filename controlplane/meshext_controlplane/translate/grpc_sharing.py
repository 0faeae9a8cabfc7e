"""What gRPC clients with one view have alike: clusters and endpoints, made once for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from meshext_controlplane.model.mesh_config import MeshConfigSpec
from meshext_controlplane.snapshot import Resource
from meshext_controlplane.translate.grpc_clusters import (
    build_grpc_assignment,
    build_grpc_black_hole,
    build_grpc_cluster,
    find_peers,
    pick,
)
from meshext_controlplane.translate.localities import Client, Nearness, build_nearness
from meshext_controlplane.translate.membership import Membership
from meshext_controlplane.translate.memo import Memo
from meshext_controlplane.translate.names import BLACK_HOLE
from meshext_controlplane.translate.outbound_clusters import Plan
from meshext_controlplane.translate.outlook import Outlook


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcSharing:
    """Makes them for one client; `banned` are SPIFFE IDs that nobody may answer with."""

    outlook: Outlook
    client: Client
    membership: Membership
    config: MeshConfigSpec
    banned: tuple[str, ...]
    memo: Memo

    def resources(self) -> Iterator[Resource]:
        """All of them."""
        encode, nobody = self.memo.encode, Nearness()
        yield encode("grpc hole", (), BLACK_HOLE, build_grpc_black_hole)
        yield encode("grpc nobody", (), BLACK_HOLE, lambda: build_grpc_assignment(BLACK_HOLE, (), nobody))
        for plan in self.outlook.plans.values():
            yield from self._cluster(plan)

    def _cluster(self, plan: Plan) -> Iterator[Resource]:
        encode, config, name = self.memo.encode, self.config, plan.name
        nearness = build_nearness(plan.effective.policy, self.client)
        endpoints = self.membership.endpoints(plan.service, plan.port)
        peers = find_peers(plan, endpoints, self.membership.identities(plan.service), self.banned)
        picked = pick(plan, peers, endpoints)
        domains = (config.trust_domain, config.trust_domain_aliases)
        yield encode(
            ("grpc cluster", name),
            (plan, peers, *domains),
            name,
            lambda: build_grpc_cluster(plan, peers, config),
        )
        yield encode(
            ("grpc endpoints", name, nearness.client),
            (nearness, picked),
            name,
            lambda: build_grpc_assignment(name, picked, nearness),
        )
