"""Where an application finds the mesh: its HTTP proxy, and a port for each TCP service.

Everything listens at the workload's own address. A TCP service has the port of its own number there, unless
that needs privileges or is taken; services with TLS share a port, as the client says in TLS whom it wants.
What has no port is reached through the HTTP proxy (CONNECT).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from meshext_controlplane.model.mesh_config import MeshConfigSpec
from meshext_controlplane.translate.access_logs import AccessLog
from meshext_controlplane.translate.http_filters import Direction, build_chain
from meshext_controlplane.translate.http_manager import ManagerOptions, build_manager
from meshext_controlplane.translate.l4_routes import Weighted
from meshext_controlplane.translate.messages import build_address, pack
from meshext_controlplane.translate.names import OUTBOUND_HTTP
from meshext_controlplane.translate.policies import Placed
from meshext_controlplane.translate.protocols import Protocol
from meshext_controlplane.translate.services import MeshPort, MeshService, Resolution
from meshext_proto.envoy.config.core.v3 import base_pb2
from meshext_proto.envoy.config.listener.v3 import listener_components_pb2 as components_pb2
from meshext_proto.envoy.config.listener.v3 import listener_pb2
from meshext_proto.envoy.extensions.filters.listener.tls_inspector.v3 import tls_inspector_pb2
from meshext_proto.envoy.extensions.filters.network.tcp_proxy.v3 import tcp_proxy_pb2

PRIVILEGED = 1024
"""Ports below need privileges, which a sidecar does without."""

Ports = Mapping[int, tuple[tuple[MeshService, MeshPort], ...]]


@dataclass(frozen=True, slots=True)
class Leg:
    """Connections to one service behind a port: the name that clients ask for ("" for all), and where to."""

    server_name: str
    clusters: Weighted


def build_http_listener(
    address: str, port: int, config: MeshConfigSpec, placed: Placed
) -> listener_pb2.Listener:
    """The HTTP proxy."""
    options = ManagerOptions(
        OUTBOUND_HTTP,
        Direction.OUTBOUND,
        connect=True,
        access_logs=placed.access_logs,
        tracing=placed.tracing,
    )
    manager = build_manager(options, config, build_chain(Direction.OUTBOUND, placed.filters))
    return _build_listener(OUTBOUND_HTTP, address, port, [components_pb2.FilterChain(filters=[manager])])


def assign_ports(services: Iterable[MeshService]) -> Ports:
    """Which services a client finds behind which ports of its own address, where they are free there."""
    found: dict[int, list[tuple[MeshService, MeshPort]]] = {}
    for service in services:
        for port in service.ports:
            if port.protocol.is_http or service.resolution is Resolution.AS_ASKED:
                continue
            if port.number < PRIVILEGED:
                continue
            others = found.setdefault(port.number, [])
            if not others or _share(others[0], (service, port)):
                others.append((service, port))
    return {number: tuple(each) for number, each in found.items()}


def build_tcp_listener(name: str, address: str, port: int, legs: Iterable[Leg]) -> listener_pb2.Listener:
    """The listener of a port; several legs are told apart by the name in TLS."""
    chains = [build_leg(name, leg) for leg in legs]
    listener = _build_listener(name, address, port, chains)
    if any(chain.filter_chain_match.server_names for chain in chains):
        inspector = pack(tls_inspector_pb2.TlsInspector())
        listener.listener_filters.add(name="envoy.filters.listener.tls_inspector", typed_config=inspector)
    return listener


def _share(one: tuple[MeshService, MeshPort], other: tuple[MeshService, MeshPort]) -> bool:
    return one[1].protocol is Protocol.TLS and other[1].protocol is Protocol.TLS


def build_leg(name: str, leg: Leg, logs: Iterable[AccessLog] = ()) -> components_pb2.FilterChain:
    """The filter chain of a leg, under that name in statistics."""
    proxy = tcp_proxy_pb2.TcpProxy(stat_prefix=name, access_log=logs)
    if len(leg.clusters) == 1:
        proxy.cluster = leg.clusters[0][0]
    else:
        for cluster, weight in leg.clusters:
            proxy.weighted_clusters.clusters.add(name=cluster, weight=weight)
    chain = components_pb2.FilterChain(
        filters=[components_pb2.Filter(name="envoy.filters.network.tcp_proxy", typed_config=pack(proxy))]
    )
    if leg.server_name:
        chain.filter_chain_match.server_names.append(leg.server_name)
    return chain


def _build_listener(
    name: str, address: str, port: int, chains: Iterable[components_pb2.FilterChain]
) -> listener_pb2.Listener:
    listener = listener_pb2.Listener(
        name=name,
        address=build_address(address, port),
        traffic_direction=base_pb2.OUTBOUND,
        filter_chains=chains,
    )
    for chain in listener.filter_chains:
        # Whoever calls here speaks with the workload's identity: nobody from another machine may.
        chain.filter_chain_match.source_type = components_pb2.FilterChainMatch.SAME_IP_OR_LOOPBACK
    listener.enable_reuse_port.value = False
    return listener
