"""What security and filter documents put into the configuration of one workload: where, and what.

`translate` asks here and knows nothing of the documents; places are those of `http_filters.ORDER`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Self

from meshext.policy.model import Policy
from meshext.policy.scope import Workload as Subject
from meshext.policy.scope import select_policies
from meshext.policy.trust import TrustDomains
from meshext_controlplane.model.authorization_policy import AuthorizationPolicy
from meshext_controlplane.model.filter_policy import FilterPolicy
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.peer_authentication import PeerAuthentication
from meshext_controlplane.model.providers import FilterProvider
from meshext_controlplane.model.request_authentication import RequestAuthentication
from meshext_controlplane.model.telemetry import Telemetry
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.snapshot import Resource, encode_resource
from meshext_controlplane.translate.access_logs import AccessLog, build_access_logs
from meshext_controlplane.translate.authorization import build_network_rules, build_route_rules
from meshext_controlplane.translate.bans import build_ban
from meshext_controlplane.translate.custom import (
    Asked,
    Serves,
    build_custom_rules,
    build_http_custom,
    build_network_custom,
    find_asked,
)
from meshext_controlplane.translate.filter_config import (
    BuiltFilter,
    build_cluster_beside,
    build_filter,
    name_socket,
)
from meshext_controlplane.translate.filter_policy import (
    PROVIDER,
    Built,
    FilterService,
    build_policy,
    find_cluster,
    list_services,
    name_filter,
    select_filters,
    sort_into_places,
)
from meshext_controlplane.translate.http_filters import HttpFilter
from meshext_controlplane.translate.jwt import build_jwt, find_rules
from meshext_controlplane.translate.metric_tags import build_metrics
from meshext_controlplane.translate.offers import find_offers
from meshext_controlplane.translate.peer_authentication import MtlsMode, MtlsModes
from meshext_controlplane.translate.rbac import Target
from meshext_controlplane.translate.telemetry import (
    Side,
    find_levels,
    resolve_logging,
    resolve_metrics,
    resolve_tracing,
)
from meshext_controlplane.translate.tracing import Tracing, build_tracing
from meshext_proto.envoy.config.listener.v3 import listener_components_pb2 as components_pb2
from meshext_proto.google.protobuf import any_pb2

KINDS = tuple(
    kind.KIND
    for kind in (AuthorizationPolicy, FilterPolicy, PeerAuthentication, RequestAuthentication, Telemetry)
)
"""The kinds that policies are made of."""

Kind = tuple[str, str, tuple[tuple[str, str], ...]]
"""Namespace, service account and labels: workloads that have the same are under the same policies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What policies put into one listener and its routes. Equal ones lead to the same encoded resources.

    `filters` are HTTP filters by the name of their place: an edit of them closes connections. `on_routes` is
    for filters that stand there already, by the filter's name (`rbac-deny`): an edit of it closes none.
    `network` are filters of a port that is not HTTP, `network_logs` its access logs. `resources` are what all
    of that refers to: extension configurations, clusters of services. `guarded` says that some of the HTTP
    filters may be what guards, and can not be asked where nobody knows that HTTP is spoken.
    """

    filters: Mapping[str, tuple[HttpFilter, ...]] = field(default_factory=dict)
    on_routes: Mapping[str, any_pb2.Any] = field(default_factory=dict)
    network: tuple[components_pb2.Filter, ...] = ()
    access_logs: tuple[AccessLog, ...] = ()
    network_logs: tuple[AccessLog, ...] = ()
    tracing: Tracing | None = None
    resources: tuple[Resource, ...] = ()
    guarded: bool = False


class Policies:
    """The policies of one mesh's documents; what workloads there are is no matter."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self._modes = MtlsModes(mesh)
        config = mesh.config
        self._trust = TrustDomains(config.trust_domain, config.trust_domain_aliases)
        self._policies = tuple(each.policy for each in mesh.of(AuthorizationPolicy))
        self._offers = find_offers(mesh)
        self._placed: dict[tuple[str, Kind, frozenset[str]], Placed] = {}
        self._services: dict[Kind, tuple[FilterService, ...]] = {}
        self._built: dict[tuple[str, tuple[str, str, str]], Built] = {}

    def succeed(self, mesh: Mesh) -> Self:
        """The policies of the mesh that comes next; what was built stays where nothing of it has changed."""
        old = self.mesh
        if mesh.config != old.config or mesh.plans is not old.plans or mesh.banned != old.banned:
            return type(self)(mesh)
        if any(mesh.documents.get(kind) is not old.documents.get(kind) for kind in KINDS):
            return type(self)(mesh)
        following = copy(self)
        following.mesh = mesh
        if mesh.documents is not old.documents:
            following._offers = find_offers(mesh)
            if following._offers != self._offers:
                return type(self)(mesh)
        return following

    def mtls_mode(self, workload: Workload, port: int) -> MtlsMode:
        """What the workload's port takes. A gateway's servers say themselves what they take."""
        return MtlsMode.DISABLE if workload.gateway else self._modes.of(workload, port)

    def mtls_ports(self, workload: Workload) -> tuple[int, ...]:
        """The ports that documents about mTLS speak of by number."""
        return self._modes.named_ports(workload)

    def inbound(self, workload: Workload, port: int) -> Placed:  # noqa: ARG002
        """What is put before the workload's port."""
        return self._place("inbound", workload)

    def outbound(self, workload: Workload) -> Placed:
        """What is put into the workload's own HTTP proxy."""
        return self._place("outbound", workload)

    def gateway(self, workload: Workload) -> Placed:
        """What is put before everything at a gateway."""
        return self._place("gateway", workload)

    def services_of(self, workload: Workload) -> tuple[FilterService, ...]:
        """The filters that the workload's sidecar has to run, also those that are held."""
        kind = to_kind(workload)
        if (services := self._services.get(kind)) is None:
            asked = {each.provider for each in self.authorization_of(workload) if each.provider}
            services = self._services[kind] = list_services(self.mesh, workload, sorted(asked))
        return services

    def _place(self, direction: str, workload: Workload) -> Placed:
        key = direction, to_kind(workload), workload.held
        if key not in self._placed:
            if direction == "outbound":
                self._placed[key] = self._build_outbound(workload)
            else:
                self._placed[key] = self._build_guarded(workload, direction)
        return self._placed[key]

    def authorization_of(self, workload: Workload) -> tuple[Policy, ...]:
        """The AuthorizationPolicies that apply to a workload, in the order in which they are written out."""
        subject = Subject(
            namespace=workload.namespace,
            labels=tuple(workload.labels.items()),
            root_namespace=self.mesh.config.root_namespace,
            trust=self._trust,
        )
        return select_policies(self._policies, subject)

    def _build_guarded(self, workload: Workload, direction: str) -> Placed:
        """Where others come in: "inbound" at a sidecar, or "gateway", which counts as a client (Istio's)."""
        policies = (*build_ban(self.mesh.banned), *self.authorization_of(workload))
        http, tcp = Target(trust=self._trust), Target(trust=self._trust, tcp=True)
        serves = self._serves(workload)
        asking = [each for each in policies if name_filter("", each.provider) not in workload.held]
        asked = find_asked(asking, self.mesh.config, serves, partial(self._find_filter, serves))
        jwt, fetching = build_jwt(find_rules(self.mesh, workload), serves)
        places, resources = self._build_filters(direction, workload)
        filters = {**places, "custom": tuple(build_http_custom(asked)), "jwt": (jwt,) if jwt else ()}
        return replace(
            self._build_telemetry(workload, Side.SERVER if direction == "inbound" else Side.CLIENT),
            filters={place: each for place, each in filters.items() if each},
            on_routes={**build_custom_rules(asked, http), **build_route_rules(policies, http)},
            network=(*build_network_custom(asked, tcp), *build_network_rules(policies, tcp)),
            resources=(*fetching, *resources, *self._provider_clusters(asked)),
            guarded=any(each.spec.may_guard for each in self._select(direction, workload)),
        )

    def _build_outbound(self, workload: Workload) -> Placed:
        places, resources = self._build_filters("outbound", workload)
        told = self._build_telemetry(workload, Side.CLIENT)
        return replace(told, filters=places, resources=resources)

    def _build_telemetry(self, workload: Workload, side: Side) -> Placed:
        """What is logged, traced and counted."""
        mesh, config = self.mesh, self.mesh.config
        levels, serves = find_levels(mesh, workload), self._serves(workload)
        logged = resolve_logging(mesh, levels, side)
        metrics = build_metrics(resolve_metrics(mesh, levels, side), workload, side)
        logs = build_access_logs(logged, config, serves, http=True)
        traced = resolve_tracing(mesh, levels, side)
        return Placed(
            access_logs=(*logs, metrics) if metrics is not None else tuple(logs),
            network_logs=tuple(build_access_logs(logged, config, serves, http=False)),
            tracing=build_tracing(traced, config, workload, serves),
        )

    def _build_filters(
        self, direction: str, workload: Workload
    ) -> tuple[dict[str, tuple[HttpFilter, ...]], tuple[Resource, ...]]:
        built = [(policy, self._build(policy, workload)) for policy in self._select(direction, workload)]
        return sort_into_places(built), tuple(each for _, one in built for each in one.resources)

    def _select(self, direction: str, workload: Workload) -> list[FilterPolicy]:
        """The filters that the workload's Envoy asks; those that are held stand nowhere yet."""
        chosen = select_filters(self.mesh, workload, direction)
        return [each for each in chosen if name_filter(*each.key[1:]) not in workload.held]

    def _build(self, policy: FilterPolicy, workload: Workload) -> Built:
        key = (workload.namespace, policy.key)
        if key not in self._built:
            plan = self.mesh.plans.get(policy.key)
            self._built[key] = build_policy(policy, plan, self._serves(workload))
        return self._built[key]

    def _find_filter(self, serves: Serves, source: FilterProvider, name: str) -> BuiltFilter | None:
        plan = self.mesh.plans.get((PROVIDER, "", name))
        cluster = find_cluster(source, name_filter("", name), serves)
        return build_filter(plan, cluster, source) if plan is not None and cluster is not None else None

    def _provider_clusters(self, asked: Iterable[Asked]) -> Iterator[Resource]:
        """The clusters of providers' filters that run beside the sidecar."""
        for each in asked:
            provider = self.mesh.config.provider(each.provider)
            source = provider.meshext_filter if provider else None
            if isinstance(each.authz, BuiltFilter) and source is not None and source.service is None:
                name = name_filter("", each.provider)
                yield encode_resource(name, build_cluster_beside(name, name_socket("", each.provider)))

    def _serves(self, workload: Workload) -> Serves:
        """Whether the workload's sidecar has a cluster for a host's port."""
        return partial(self._offers.serves, client=workload.namespace)


def to_kind(workload: Workload) -> Kind:
    """What policies select a workload by."""
    return workload.namespace, workload.identity.service_account, tuple(sorted(workload.labels.items()))
