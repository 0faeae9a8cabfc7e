"""Endpoints of a service's port (`envoy.config.endpoint.v3.ClusterLoadAssignment`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from meshext_controlplane.model.workload import Locality, State
from meshext_controlplane.translate.localities import Group, Nearness
from meshext_controlplane.translate.messages import build_address, build_pipe
from meshext_proto.envoy.config.core.v3 import base_pb2, health_check_pb2
from meshext_proto.envoy.config.endpoint.v3 import endpoint_components_pb2, endpoint_pb2
from meshext_proto.google.protobuf import struct_pb2

SOCKET_MATCH = "envoy.transport_socket_match"
TLS_MODE = "tlsMode"
MESH_TLS = "meshext"
ALPN = "alpn"
H2 = "h2"

_HEALTH = {
    State.READY: health_check_pb2.HEALTHY,
    State.UNREADY: health_check_pb2.UNHEALTHY,
    State.DRAINING: health_check_pb2.DRAINING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One address behind a service; `mesh_tls` where a sidecar takes mTLS there, `grpc` where gRPC does.

    `host` is an address, a name where the cluster asks DNS, or with `port` 0 the path of a Unix socket.
    """

    host: str
    port: int
    mesh_tls: bool = False
    grpc: bool = False
    state: State = State.READY
    locality: Locality = field(default_factory=Locality)
    weight: int = 1
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def mesh_tls_match() -> struct_pb2.Struct:
    """What `transport_socket_matches` and endpoints say of mTLS."""
    match = struct_pb2.Struct()
    match.fields[TLS_MODE].string_value = MESH_TLS
    return match


def grpc_tls_match() -> struct_pb2.Struct:
    """The same, of endpoints where gRPC itself takes mTLS: it speaks HTTP/2 and says so, or ends it."""
    match = mesh_tls_match()
    match.fields[ALPN].string_value = H2
    return match


def build_assignment(
    cluster: str, endpoints: Iterable[Endpoint], nearness: Nearness
) -> endpoint_pb2.ClusterLoadAssignment:
    """The endpoints of a cluster by locality, nearest first as `nearness` says."""
    localities: dict[tuple[Locality, int], list[Endpoint]] = {}
    for endpoint in endpoints:
        rank = nearness.rank_labels(endpoint.labels, endpoint.locality)
        localities.setdefault((endpoint.locality, rank), []).append(endpoint)
    groups = [
        Group(locality, rank, sum(each.weight for each in members))
        for (locality, rank), members in localities.items()
    ]
    return endpoint_pb2.ClusterLoadAssignment(
        cluster_name=cluster,
        endpoints=[
            _build_locality(placed.locality, placed.priority, placed.weight, members)
            for placed, members in zip(nearness.place(groups), localities.values(), strict=True)
            if placed.weight
        ],
    )


def _build_locality(
    locality: Locality, priority: int, weight: int, endpoints: Iterable[Endpoint]
) -> endpoint_components_pb2.LocalityLbEndpoints:
    built = endpoint_components_pb2.LocalityLbEndpoints(
        locality=base_pb2.Locality(region=locality.region, zone=locality.zone, sub_zone=locality.sub_zone),
        lb_endpoints=[_build_endpoint(endpoint) for endpoint in endpoints],
        priority=priority,
    )
    built.load_balancing_weight.value = weight
    return built


def _build_endpoint(endpoint: Endpoint) -> endpoint_components_pb2.LbEndpoint:
    address = build_address(endpoint.host, endpoint.port) if endpoint.port else build_pipe(endpoint.host)
    built = endpoint_components_pb2.LbEndpoint(
        endpoint=endpoint_components_pb2.Endpoint(address=address), health_status=_HEALTH[endpoint.state]
    )
    built.load_balancing_weight.value = endpoint.weight
    if endpoint.mesh_tls:
        match = grpc_tls_match() if endpoint.grpc else mesh_tls_match()
        built.metadata.filter_metadata[SOCKET_MATCH].CopyFrom(match)
    return built
