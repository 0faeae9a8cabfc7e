"""What security and filter documents put into the configuration of one workload: where, and what.

`translate` asks here and knows nothing of the documents; places are those of `http_filters.ORDER`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from meshext.policy.model import Policy
from meshext.policy.scope import Workload as Subject
from meshext.policy.scope import select_policies
from meshext.policy.trust import TrustDomains
from meshext_controlplane.model.authorization_policy import AuthorizationPolicy
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.snapshot import Resource
from meshext_controlplane.translate.authorization import build_network_rules, build_route_rules
from meshext_controlplane.translate.catalog import build_catalog
from meshext_controlplane.translate.custom import (
    build_custom_rules,
    build_http_custom,
    build_network_custom,
    find_asked,
)
from meshext_controlplane.translate.http_filters import HttpFilter
from meshext_controlplane.translate.jwt import build_jwt, find_rules
from meshext_controlplane.translate.peer_authentication import MtlsMode, MtlsModes
from meshext_controlplane.translate.rbac import Target
from meshext_proto.envoy.config.listener.v3 import listener_components_pb2 as components_pb2
from meshext_proto.google.protobuf import any_pb2

Kind = tuple[str, tuple[tuple[str, str], ...]]
"""Namespace and labels: workloads that have the same are under the same policies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What policies put into one listener and its routes. Equal ones lead to the same encoded resources.

    `filters` are HTTP filters by the name of their place: an edit of them closes connections. `on_routes` is
    for filters that stand there already, by the filter's name (`rbac-deny`): an edit of it closes none.
    `network` are filters of a port that is not HTTP. `resources` are what all of that refers to: extension
    configurations, clusters of services.
    """

    filters: Mapping[str, tuple[HttpFilter, ...]] = field(default_factory=dict)
    on_routes: Mapping[str, any_pb2.Any] = field(default_factory=dict)
    network: tuple[components_pb2.Filter, ...] = ()
    resources: tuple[Resource, ...] = ()


class Policies:
    """The policies of one mesh's documents; what workloads there are is no matter."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self._modes = MtlsModes(mesh)
        config = mesh.config
        self._trust = TrustDomains(config.trust_domain, config.trust_domain_aliases)
        self._policies = tuple(each.policy for each in mesh.of(AuthorizationPolicy))
        services = build_catalog(mesh).services
        self._ports = {(each.host, port.number) for each in services for port in each.ports}
        self._inbound: dict[Kind, Placed] = {}

    def succeed(self, mesh: Mesh) -> Self:
        """The policies of the mesh that comes next: these, where documents and configuration are the same."""
        same = mesh.documents is self.mesh.documents and mesh.config == self.mesh.config
        return self if same else type(self)(mesh)

    def mtls_mode(self, workload: Workload, port: int) -> MtlsMode:
        """What the workload's port takes."""
        return self._modes.of(workload, port)

    def inbound(self, workload: Workload, port: int) -> Placed:  # noqa: ARG002
        """What is put before the workload's port."""
        kind = workload.namespace, tuple(sorted(workload.labels.items()))
        if kind not in self._inbound:
            self._inbound[kind] = self._build_inbound(workload)
        return self._inbound[kind]

    def outbound(self, workload: Workload) -> Placed:  # noqa: ARG002
        """What is put into the workload's own HTTP proxy."""
        return Placed()

    def authorization_of(self, workload: Workload) -> tuple[Policy, ...]:
        """The AuthorizationPolicies that apply to a workload, in the order in which they are written out."""
        subject = Subject(
            namespace=workload.namespace,
            labels=tuple(workload.labels.items()),
            root_namespace=self.mesh.config.root_namespace,
            trust=self._trust,
        )
        return select_policies(self._policies, subject)

    def _build_inbound(self, workload: Workload) -> Placed:
        policies = self.authorization_of(workload)
        http, tcp = Target(trust=self._trust), Target(trust=self._trust, tcp=True)
        asked = find_asked(policies, self.mesh.config, self._serves)
        jwt, clusters = build_jwt(find_rules(self.mesh, workload), self._serves)
        filters = {"custom": tuple(build_http_custom(asked)), "jwt": (jwt,) if jwt else ()}
        return Placed(
            filters={place: each for place, each in filters.items() if each},
            on_routes={**build_custom_rules(asked, http), **build_route_rules(policies, http)},
            network=(*build_network_custom(asked, tcp), *build_network_rules(policies, tcp)),
            resources=clusters,
        )

    def _serves(self, host: str, port: int) -> bool:
        return (host, port) in self._ports
