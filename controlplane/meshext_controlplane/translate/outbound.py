"""The application's HTTP proxy: one listener, and routes by authority to every service that it may call."""

from __future__ import annotations

from collections.abc import Iterable

from meshext_controlplane.model.mesh_config import MeshConfigSpec
from meshext_controlplane.translate.http_filters import Direction, build_chain
from meshext_controlplane.translate.http_manager import ManagerOptions, build_manager
from meshext_controlplane.translate.messages import build_address
from meshext_controlplane.translate.names import (
    OUTBOUND_HTTP,
    name_outbound,
    name_virtual_host,
    short_names,
)
from meshext_controlplane.translate.policies import Placed
from meshext_controlplane.translate.services import MeshPort, MeshService
from meshext_proto.envoy.config.core.v3 import base_pb2
from meshext_proto.envoy.config.listener.v3 import listener_components_pb2 as components_pb2
from meshext_proto.envoy.config.listener.v3 import listener_pb2
from meshext_proto.envoy.config.route.v3 import route_components_pb2, route_pb2

HTTP_PORT = 80


def build_outbound_listener(
    address: str, port: int, config: MeshConfigSpec, placed: Placed
) -> listener_pb2.Listener:
    """The HTTP proxy of the application beside this sidecar."""
    options = ManagerOptions(
        OUTBOUND_HTTP, Direction.OUTBOUND, access_logs=placed.access_logs, tracing=placed.tracing
    )
    manager = build_manager(options, config, build_chain(Direction.OUTBOUND, placed.filters))
    listener = listener_pb2.Listener(
        name=OUTBOUND_HTTP,
        address=build_address(address, port),
        traffic_direction=base_pb2.OUTBOUND,
        filter_chains=[components_pb2.FilterChain(filters=[manager])],
    )
    listener.enable_reuse_port.value = False
    return listener


def build_outbound_routes(services: Iterable[MeshService], namespace: str) -> route_pb2.RouteConfiguration:
    """The routes of a client in that namespace; a name that two services have belongs to the first."""
    taken: set[str] = set()
    hosts = []
    for service in services:
        for port in service.ports:
            if port.protocol.is_http:
                domains = [each for each in list_domains(service, port, namespace) if each not in taken]
                taken.update(domains)
                if domains:
                    hosts.append(build_virtual_host(service, port, domains))
    routes = route_pb2.RouteConfiguration(name=OUTBOUND_HTTP, virtual_hosts=hosts)
    routes.validate_clusters.value = False
    return routes


def list_domains(service: MeshService, port: MeshPort, namespace: str) -> list[str]:
    """What a client may write as the authority. Without a port it is 80, or the only one that speaks HTTP."""
    http = [each.number for each in service.ports if each.protocol.is_http]
    bare = HTTP_PORT if HTTP_PORT in http else http[0] if len(http) == 1 else 0
    names = short_names(service.host, namespace)
    domains = [f"{name}:{port.number}" for name in names]
    return domains + list(names) if port.number == bare else domains


def build_virtual_host(
    service: MeshService, port: MeshPort, domains: Iterable[str]
) -> route_components_pb2.VirtualHost:
    """The virtual host of a service's port: everything goes to all of its endpoints."""
    action = route_components_pb2.RouteAction(cluster=name_outbound(port.number, "", service.host))
    action.timeout.seconds = 0
    route = route_components_pb2.Route(name="default", route=action)
    route.match.prefix = "/"
    return route_components_pb2.VirtualHost(
        name=name_virtual_host(service.host, port.number), domains=domains, routes=[route]
    )
