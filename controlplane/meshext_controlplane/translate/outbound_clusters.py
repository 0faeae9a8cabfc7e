"""Clusters of services as clients see them (`envoy.config.cluster.v3.Cluster`)."""

from __future__ import annotations

from dataclasses import dataclass

from meshext_controlplane.model.hosts import name_stats
from meshext_controlplane.model.mesh_config import MeshConfigSpec
from meshext_controlplane.translate.balancing import set_balancer
from meshext_controlplane.translate.dynamic_forward import set_dynamic_forward
from meshext_controlplane.translate.endpoints import build_assignment
from meshext_controlplane.translate.localities import Nearness
from meshext_controlplane.translate.membership import from_entry_spec
from meshext_controlplane.translate.messages import build_ads
from meshext_controlplane.translate.names import BLACK_HOLE, PASSTHROUGH, name_outbound, name_server
from meshext_controlplane.translate.pools import (
    Cluster,
    HttpOptions,
    build_http_options,
    set_http_options,
    set_limits,
    set_outliers,
)
from meshext_controlplane.translate.proxy_protocol import set_proxy_protocol
from meshext_controlplane.translate.rules import Effective
from meshext_controlplane.translate.services import MeshPort, MeshService, Resolution
from meshext_controlplane.translate.upstream_tls import Peers, set_client_tls, set_mesh_tls

_TYPES = {
    Resolution.ENDPOINTS: Cluster.EDS,
    Resolution.DNS: Cluster.STRICT_DNS,
    Resolution.ONE_NAME: Cluster.LOGICAL_DNS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One cluster that clients of a scope have, and what documents say of it; `labels` are the subset's."""

    service: MeshService
    port: MeshPort
    subset: str
    labels: tuple[tuple[str, str], ...]
    effective: Effective

    @property
    def name(self) -> str:
        """The cluster's."""
        return name_outbound(self.port.number, self.subset, self.service.host)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of those behind a cluster: who they are, and whether some are gRPC without an Envoy."""

    identities: frozenset[str]
    grpc: bool = False


def build_outbound(plan: Plan, known: Known, config: MeshConfigSpec, nearness: Nearness) -> Cluster:
    """The cluster for what is known of those behind it."""
    service, port, policy = plan.service, plan.port, plan.effective.policy
    cluster = Cluster(name=plan.name, alt_stat_name=name_stats(plan.name))
    cluster.common_lb_config.healthy_panic_threshold.value = 0
    set_limits(cluster, policy.connection_pool, plan.effective.retry_budget)
    if policy.outlier_detection is not None:
        set_outliers(cluster, policy.outlier_detection)
    options = build_http_options(port.protocol, policy.connection_pool)
    _set_security(cluster, plan, known, config, options)
    if plan.effective.proxy_protocol is not None:
        set_proxy_protocol(cluster, plan.effective.proxy_protocol)
    set_http_options(cluster, options)
    if service.resolution is Resolution.AS_ASKED:
        set_dynamic_forward(cluster)
        return cluster
    set_balancer(cluster, policy.load_balancer)
    if nearness.setting is not None:
        cluster.common_lb_config.locality_weighted_lb_config.SetInParent()
    _set_endpoints(cluster, plan, nearness)
    return cluster


def _set_security(
    cluster: Cluster,
    plan: Plan,
    known: Known,
    config: MeshConfigSpec,
    options: HttpOptions | None,
) -> None:
    peers = Peers(
        host=plan.service.host,
        server_name=name_server(plan.port.number, plan.subset, plan.service.host),
        names=frozenset(plan.service.subject_alt_names) or known.identities,
        trust_domains=(config.trust_domain, *config.trust_domain_aliases),
        grpc=known.grpc,
    )
    if (tls := plan.effective.policy.tls) is None:
        if plan.service.resolution is not Resolution.AS_ASKED:
            set_mesh_tls(cluster, peers)
    elif set_client_tls(cluster, tls, peers, plan.port.protocol) and options is not None:
        options.upstream_http_protocol_options.auto_sni = True
        options.upstream_http_protocol_options.auto_san_validation = not tls.insecure_skip_verify


def _set_endpoints(cluster: Cluster, plan: Plan, nearness: Nearness) -> None:
    cluster.type = _TYPES[plan.service.resolution]
    if plan.service.resolution is Resolution.ENDPOINTS:
        cluster.eds_cluster_config.eds_config.CopyFrom(build_ads())
        return
    wanted = dict(plan.labels)
    endpoints = [
        from_entry_spec(spec, plan.port)
        for spec in plan.service.endpoints
        if wanted.items() <= spec.labels.items()
    ]
    cluster.load_assignment.CopyFrom(build_assignment(cluster.name, endpoints, nearness))
    if not endpoints:
        cluster.type = Cluster.STATIC
    cluster.respect_dns_ttl = True


def build_as_meant(plan: Plan, config: MeshConfigSpec, nearness: Nearness) -> Cluster:
    """The cluster of a service without endpoints for a sidecar that knows where connections were to go."""
    cluster = build_outbound(plan, Known(frozenset()), config, nearness)
    cluster.type = Cluster.ORIGINAL_DST
    return cluster


def build_passthrough_as_meant() -> Cluster:
    """The cluster of what no document names, for a sidecar that knows where it was to go."""
    cluster = Cluster(name=PASSTHROUGH, type=Cluster.ORIGINAL_DST, lb_policy=Cluster.CLUSTER_PROVIDED)
    set_limits(cluster)
    # Nobody has said what is spoken there: it is what the application speaks.
    options = HttpOptions()
    spoken = options.use_downstream_protocol_config
    spoken.http_protocol_options.enable_trailers = True
    spoken.http2_protocol_options.allow_connect = True
    set_http_options(cluster, options)
    return cluster


def build_black_hole() -> Cluster:
    """The cluster without endpoints."""
    cluster = Cluster(name=BLACK_HOLE, type=Cluster.STATIC)
    set_limits(cluster)
    return cluster
