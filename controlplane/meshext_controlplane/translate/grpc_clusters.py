"""Clusters and endpoints for gRPC's own client (gRFCs A27, A29, A32, A37, A42, A50).

It has less than Envoy has: one kind of security for all endpoints of a cluster, and certificates by the name
of a provider in its bootstrap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from meshext_controlplane.model.load_balancing import LoadBalancer
from meshext_controlplane.model.mesh_config import MeshConfigSpec
from meshext_controlplane.model.traffic_policy import OutlierDetection, PortPolicy
from meshext_controlplane.model.workload import Locality, State
from meshext_controlplane.translate.endpoints import Endpoint
from meshext_controlplane.translate.localities import Group, Nearness
from meshext_controlplane.translate.messages import build_address, build_ads, is_ip, pack
from meshext_controlplane.translate.names import BLACK_HOLE
from meshext_controlplane.translate.outbound_clusters import Plan
from meshext_controlplane.translate.pools import UNLIMITED, Cluster
from meshext_controlplane.translate.services import Resolution
from meshext_controlplane.translate.tls import TLS_SOCKET
from meshext_proto.envoy.config.core.v3 import base_pb2, health_check_pb2
from meshext_proto.envoy.config.endpoint.v3 import endpoint_components_pb2, endpoint_pb2
from meshext_proto.envoy.extensions.transport_sockets.tls.v3 import common_pb2, tls_pb2
from meshext_proto.envoy.type.matcher.v3 import string_pb2

PROVIDER = "meshext"
"""The certificate provider of the bootstrap: the workload's own certificate, and the mesh's roots."""

CONSECUTIVE_5XX = 5
"""Envoy's, where a DestinationRule does not say."""

Instance = common_pb2.CertificateProviderPluginInstance
Assignment = endpoint_pb2.ClusterLoadAssignment
_Place = tuple[Locality, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peers:
    """How the endpoints of a cluster are reached.

    `mutual` is by mTLS, else in plain text. `names` are the identities that may be there, none where any of
    the mesh may; `closed` says why there may be nobody, "" where there may.
    """

    mutual: bool
    names: frozenset[str] = frozenset()
    closed: str = ""


def find_peers(
    plan: Plan, endpoints: Iterable[Endpoint], identities: frozenset[str], banned: Iterable[str]
) -> Peers:
    """Who is behind a cluster.

    mTLS is chosen as sidecars do by themselves: where some endpoint takes it. Those that do not are then left
    out (`pick`), since a cluster has one kind for all.
    """
    if plan.service.resolution is not Resolution.ENDPOINTS:
        return Peers(mutual=True, closed="DNS finds its endpoints; dial them without xds:///")
    policy, names = plan.effective.policy, frozenset(plan.service.subject_alt_names) or identities
    if plan.effective.proxy_protocol is not None:
        return Peers(mutual=True, closed="proxyProtocol")
    if policy.tls is None:
        known = tuple(endpoints)
        if known and not any(each.mesh_tls for each in known):
            return Peers(mutual=False)
    elif policy.tls.mode == "DISABLE":
        return Peers(mutual=False)
    elif policy.tls.mode == "ISTIO_MUTUAL":
        names = frozenset(policy.tls.subject_alt_names) or names
    else:
        return Peers(
            mutual=True, closed=f"tls mode {policy.tls.mode}, with other certificates than the mesh's"
        )
    allowed = names - frozenset(banned)
    if names and not allowed:
        return Peers(mutual=True, closed="everybody behind it is banned")
    return Peers(mutual=True, names=allowed)


def pick(plan: Plan, peers: Peers, endpoints: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    """The endpoints that the client may use: ready, of the cluster's kind, each address once."""
    if peers.closed:
        return ()
    chosen = peers.mutual and plan.effective.policy.tls is None
    labels = dict(plan.labels).items()
    usable = (
        each
        for each in endpoints
        if each.state is State.READY and each.port and is_ip(each.host)
        if labels <= each.labels.items() and (each.mesh_tls or not chosen)
    )
    return tuple({(each.host, each.port): each for each in usable}.values())


def build_grpc_cluster(plan: Plan, peers: Peers, config: MeshConfigSpec) -> Cluster:
    """The cluster; what the client does not know of is left out."""
    policy = plan.effective.policy
    cluster = _build_eds(plan.name)
    _set_balancer(cluster, policy.load_balancer)
    _set_requests(cluster, policy)
    if policy.outlier_detection is not None:
        _set_outliers(cluster, policy.outlier_detection)
    if peers.mutual:
        domains = (config.trust_domain, *config.trust_domain_aliases)
        cluster.transport_socket.CopyFrom(_build_socket(peers.names, domains))
    return cluster


def build_grpc_black_hole() -> Cluster:
    """The cluster without endpoints."""
    return _build_eds(BLACK_HOLE)


def build_grpc_assignment(cluster: str, endpoints: Iterable[Endpoint], nearness: Nearness) -> Assignment:
    """The endpoints of a cluster by locality.

    The client weighs localities alone (round robin), so endpoints of different weights are in different ones.
    """
    groups: dict[tuple[_Place, int], list[Endpoint]] = {}
    for endpoint in endpoints:
        place = endpoint.locality, nearness.rank_labels(endpoint.labels, endpoint.locality)
        groups.setdefault((place, endpoint.weight), []).append(endpoint)
    weights: dict[_Place, int] = {}
    for place, _ in groups:
        weights[place] = weights.get(place, 0) + 1
    asked = [Group(*place, weight * len(members)) for (place, weight), members in groups.items()]
    built = Assignment(cluster_name=cluster)
    for placed, ((place, weight), members) in zip(nearness.place(asked), groups.items(), strict=True):
        if placed.weight:
            alone = weights[place] == 1
            built.endpoints.append(_build_locality(placed, "" if alone else f"#{weight}", members))
    return _close_gaps(built)


def _close_gaps(built: Assignment) -> Assignment:
    """Priorities from 0 on: the client refuses an assignment in which one has nobody."""
    there = sorted({each.priority for each in built.endpoints})
    for each in built.endpoints:
        each.priority = there.index(each.priority)
    return built


def _build_locality(
    placed: Group, suffix: str, endpoints: Iterable[Endpoint]
) -> endpoint_components_pb2.LocalityLbEndpoints:
    place = replace(placed.locality, sub_zone=placed.locality.sub_zone + suffix)
    built = endpoint_components_pb2.LocalityLbEndpoints(
        locality=base_pb2.Locality(region=place.region, zone=place.zone, sub_zone=place.sub_zone),
        lb_endpoints=[_build_endpoint(endpoint) for endpoint in endpoints],
        priority=placed.priority,
    )
    built.load_balancing_weight.value = placed.weight
    return built


def _build_endpoint(endpoint: Endpoint) -> endpoint_components_pb2.LbEndpoint:
    address = build_address(endpoint.host, endpoint.port)
    return endpoint_components_pb2.LbEndpoint(
        endpoint=endpoint_components_pb2.Endpoint(address=address), health_status=health_check_pb2.HEALTHY
    )


def _build_eds(name: str) -> Cluster:
    cluster = Cluster(name=name, type=Cluster.EDS, lb_policy=Cluster.ROUND_ROBIN)
    cluster.eds_cluster_config.eds_config.CopyFrom(build_ads())
    return cluster


def _set_balancer(cluster: Cluster, balancer: LoadBalancer | None) -> None:
    """Round robin where no request is bound to an endpoint; it knows neither Maglev nor least requests."""
    if balancer is None or (consistent := balancer.consistent_hash) is None:
        return
    cluster.lb_policy = Cluster.RING_HASH
    ring = consistent.ring_hash
    cluster.ring_hash_lb_config.minimum_ring_size.value = ring.minimum_ring_size if ring else 1024


def _set_requests(cluster: Cluster, policy: PortPolicy) -> None:
    """A limit that was asked for, and no other: gRPC's own would be 1,024 calls at once."""
    http = policy.connection_pool.http if policy.connection_pool else None
    asked = http.http2_max_requests if http else 0
    cluster.circuit_breakers.thresholds.add().max_requests.value = asked or UNLIMITED


def _set_outliers(cluster: Cluster, detection: OutlierDetection) -> None:
    """Who fails every call of an interval, at least as many as in a row are too many, is left out.

    gRPC counts shares of an interval and no rows; all of them is the share that a row can not be without.
    """
    count = detection.consecutive_5xx_errors
    rows = [CONSECUTIVE_5XX if count is None else count, detection.consecutive_gateway_errors]
    volume = min((each for each in rows if each), default=0)
    built = cluster.outlier_detection
    built.SetInParent()
    built.enforcing_success_rate.value = 0
    built.enforcing_failure_percentage.value = 100 if volume else 0
    if volume:
        built.failure_percentage_threshold.value = 99
        built.failure_percentage_minimum_hosts.value = 1
        built.failure_percentage_request_volume.value = volume
    for name in ("interval", "base_ejection_time"):
        if (length := getattr(detection, name)) is not None:
            getattr(built, name).FromTimedelta(length)
    if detection.max_ejection_percent is not None:
        built.max_ejection_percent.value = detection.max_ejection_percent


def _build_socket(names: Iterable[str], trust_domains: Iterable[str]) -> base_pb2.TransportSocket:
    """mTLS by the bootstrap's provider; peers prove one of the names, or any identity of the mesh."""
    validation = common_pb2.CertificateValidationContext(
        ca_certificate_provider_instance=Instance(instance_name=PROVIDER),
        match_subject_alt_names=list(_match_names(sorted(names), trust_domains)),
    )
    common = tls_pb2.CommonTlsContext(
        tls_certificate_provider_instance=Instance(instance_name=PROVIDER),
        combined_validation_context=tls_pb2.CommonTlsContext.CombinedCertificateValidationContext(
            default_validation_context=validation
        ),
    )
    return base_pb2.TransportSocket(
        name=TLS_SOCKET, typed_config=pack(tls_pb2.UpstreamTlsContext(common_tls_context=common))
    )


def _match_names(names: Iterable[str], trust_domains: Iterable[str]) -> Iterator[string_pb2.StringMatcher]:
    """gRPC reads the older field, which has no types: a name of DNS never looks like an identity."""
    exact = [string_pb2.StringMatcher(exact=each) for each in names]
    yield from exact or (string_pb2.StringMatcher(prefix=f"spiffe://{each}/") for each in trust_domains)
