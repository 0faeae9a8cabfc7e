"""Clusters of services as clients see them (`envoy.config.cluster.v3.Cluster`)."""

from __future__ import annotations

from dataclasses import dataclass

from meshext_controlplane.translate.endpoints import mesh_tls_match
from meshext_controlplane.translate.messages import build_address, build_ads, is_ip, pack
from meshext_controlplane.translate.names import BLACK_HOLE, name_outbound, name_server
from meshext_controlplane.translate.protocols import Protocol
from meshext_controlplane.translate.services import MeshPort, MeshService, Resolution
from meshext_controlplane.translate.tls import build_peer_socket, build_raw_socket
from meshext_proto.envoy.config.cluster.v3 import circuit_breaker_pb2, cluster_pb2
from meshext_proto.envoy.config.endpoint.v3 import endpoint_components_pb2, endpoint_pb2
from meshext_proto.envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2

CONNECT_TIMEOUT = 10  # seconds; Istio's
UNLIMITED = 2**32 - 1
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
HttpOptions = http_protocol_options_pb2.HttpProtocolOptions
Cluster = cluster_pb2.Cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterOptions:
    """What a cluster depends on beside its service: identities behind it, and the mesh's trust domains."""

    identities: frozenset[str] = frozenset()
    trust_domains: tuple[str, ...]


def build_outbound(service: MeshService, port: MeshPort, options: ClusterOptions) -> Cluster:
    """The cluster of all endpoints of a service's port."""
    name = name_outbound(port.number, "", service.host)
    cluster = Cluster(name=name, lb_policy=Cluster.LEAST_REQUEST)
    cluster.connect_timeout.seconds = CONNECT_TIMEOUT
    cluster.common_lb_config.healthy_panic_threshold.value = 0
    set_limits(cluster)
    set_protocol(cluster, port.protocol)
    if service.resolution is Resolution.DNS:
        _set_dns(cluster, service, port)
        return cluster
    cluster.type = Cluster.EDS
    cluster.eds_cluster_config.eds_config.CopyFrom(build_ads())
    peer = build_peer_socket(
        name_server(port.number, "", service.host), options.identities, options.trust_domains
    )
    matches = cluster.transport_socket_matches
    matches.add(name="meshext", match=mesh_tls_match(), transport_socket=peer)
    matches.add(name="plaintext", transport_socket=build_raw_socket())
    return cluster


def _set_dns(cluster: Cluster, service: MeshService, port: MeshPort) -> None:
    cluster.type = Cluster.STATIC if is_ip(service.dns_name) else Cluster.STRICT_DNS
    target = port.target if isinstance(port.target, int) else port.number
    cluster.load_assignment.CopyFrom(
        endpoint_pb2.ClusterLoadAssignment(
            cluster_name=cluster.name,
            endpoints=[
                endpoint_components_pb2.LocalityLbEndpoints(
                    lb_endpoints=[
                        endpoint_components_pb2.LbEndpoint(
                            endpoint=endpoint_components_pb2.Endpoint(
                                address=build_address(service.dns_name, target)
                            )
                        )
                    ]
                )
            ],
        )
    )


def build_black_hole() -> Cluster:
    """The cluster without endpoints."""
    cluster = Cluster(name=BLACK_HOLE, type=Cluster.STATIC)
    cluster.connect_timeout.seconds = CONNECT_TIMEOUT
    return cluster


def set_limits(cluster: Cluster) -> None:
    """No limit where nobody asked for one: Envoy's own would be 1,024 requests at once."""
    cluster.circuit_breakers.thresholds.append(
        circuit_breaker_pb2.CircuitBreakers.Thresholds(track_remaining=True)
    )
    threshold = cluster.circuit_breakers.thresholds[0]
    for limit in ("max_connections", "max_pending_requests", "max_requests", "max_retries"):
        getattr(threshold, limit).value = UNLIMITED


def set_protocol(cluster: Cluster, protocol: Protocol) -> None:
    """Which HTTP the endpoints speak; nothing where they speak none."""
    if not protocol.is_http:
        return
    options = HttpOptions()
    if protocol.is_http2:
        options.explicit_http_config.http2_protocol_options.allow_connect = True
    else:
        options.explicit_http_config.http_protocol_options.enable_trailers = True
    set_http_options(cluster, options)


def set_http_options(cluster: Cluster, options: HttpOptions) -> None:
    """Put the options where Envoy looks for them."""
    cluster.typed_extension_protocol_options[_HTTP_OPTIONS].CopyFrom(pack(options))
