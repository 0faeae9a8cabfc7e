"""What a sidecar offers to peers: for each port of its workload a listener, routes, the application."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from meshext_controlplane.model.mesh_config import MeshConfigSpec
from meshext_controlplane.model.workload import WorkloadPort
from meshext_controlplane.translate.http_filters import Direction, HttpFilter, build_chain
from meshext_controlplane.translate.http_manager import ManagerOptions, build_manager
from meshext_controlplane.translate.messages import build_address, is_ip, pack, parse_address
from meshext_controlplane.translate.names import name_inbound, name_inbound_cluster
from meshext_controlplane.translate.peer_authentication import MtlsMode
from meshext_controlplane.translate.policies import Placed
from meshext_controlplane.translate.pools import (
    Cluster,
    build_http_options,
    set_http_options,
    set_limits,
)
from meshext_controlplane.translate.protocols import Protocol, find_protocol
from meshext_controlplane.translate.services import MeshService
from meshext_controlplane.translate.tls import MESH_ALPN, SERVER_ALPN, build_server_socket
from meshext_proto.envoy.config.core.v3 import base_pb2
from meshext_proto.envoy.config.endpoint.v3 import endpoint_components_pb2, endpoint_pb2
from meshext_proto.envoy.config.listener.v3 import listener_components_pb2 as components_pb2
from meshext_proto.envoy.config.listener.v3 import listener_pb2
from meshext_proto.envoy.config.route.v3 import route_components_pb2, route_pb2
from meshext_proto.envoy.extensions.filters.http.grpc_web.v3 import grpc_web_pb2
from meshext_proto.envoy.extensions.filters.listener.tls_inspector.v3 import tls_inspector_pb2
from meshext_proto.envoy.extensions.filters.network.tcp_proxy.v3 import tcp_proxy_pb2

Chain = components_pb2.FilterChain


RETRIES = 2
"""How often a request is sent again of which the application has seen nothing; Istio's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundPort:
    """A workload's port as its sidecar offers it."""

    address: str
    port: WorkloadPort
    protocol: Protocol
    mode: MtlsMode
    placed: Placed = field(default_factory=Placed)
    passed_to: str = ""
    """The cluster in place of the application's own, where a port is passed on as it comes."""

    @property
    def cluster(self) -> str:
        """Where its connections go."""
        return self.passed_to or name_inbound_cluster(self.port.number)


def inbound_protocol(port: WorkloadPort, services: Iterable[MeshService]) -> Protocol:
    """What the port speaks: what the first of the workload's services says, else the workload itself."""
    for service in services:
        for each in service.ports:
            if each.told and each.target in (port.number, port.name):
                return each.protocol
    return find_protocol(port.protocol, port.name) or Protocol.TCP


def build_inbound_listener(inbound: InboundPort, config: MeshConfigSpec) -> listener_pb2.Listener:
    """The listener at the workload's address; its mode says which filter chains it has."""
    name = name_inbound(inbound.port.number)
    listener = listener_pb2.Listener(
        name=name,
        address=build_address(inbound.address, inbound.port.number),
        traffic_direction=base_pb2.INBOUND,
        filter_chains=build_chains(inbound, config),
    )
    listener.enable_reuse_port.value = False
    if inbound.mode is not MtlsMode.DISABLE:
        inspector = pack(tls_inspector_pb2.TlsInspector())
        listener.listener_filters.add(name="envoy.filters.listener.tls_inspector", typed_config=inspector)
    return listener


def build_chains(inbound: InboundPort, config: MeshConfigSpec) -> list[Chain]:
    """A port's filter chains; none of them looks at the port itself."""
    filters = _build_filters(inbound, config)
    plain = Chain(name="plaintext", filters=filters)
    if inbound.mode is MtlsMode.DISABLE:
        return [plain]
    http = inbound.protocol.is_http
    domains = (config.trust_domain, *config.trust_domain_aliases)
    mutual = Chain(
        name="mtls",
        filters=filters,
        transport_socket=build_server_socket(domains, alpn=SERVER_ALPN if http else ()),
    )
    if inbound.mode is MtlsMode.STRICT:
        return [mutual]
    mutual.filter_chain_match.transport_protocol = "tls"
    if http:
        return [mutual, plain]
    # The application may speak TLS of its own there; sidecars tell by what they offer. Envoy does not look
    # for a chain without TLS once it has seen one with it, so the rest of TLS has a chain of its own.
    mutual.filter_chain_match.application_protocols.append(MESH_ALPN)
    own = Chain(name="tls", filters=filters)
    own.filter_chain_match.transport_protocol = "tls"
    return [mutual, own, plain]


def _build_filters(inbound: InboundPort, config: MeshConfigSpec) -> Sequence[components_pb2.Filter]:
    name = name_inbound(inbound.port.number)
    if inbound.protocol.is_http:
        placed = inbound.placed
        options = ManagerOptions(
            name, Direction.INBOUND, access_logs=placed.access_logs, tracing=placed.tracing
        )
        return [build_manager(options, config, build_chain(Direction.INBOUND, _place_filters(inbound)))]
    proxy = tcp_proxy_pb2.TcpProxy(
        stat_prefix=name,
        cluster=inbound.cluster,
        access_log=inbound.placed.network_logs,
    )
    last = components_pb2.Filter(name="envoy.filters.network.tcp_proxy", typed_config=pack(proxy))
    return [*inbound.placed.network, last]


def _place_filters(inbound: InboundPort) -> Mapping[str, Iterable[HttpFilter]]:
    if inbound.protocol is not Protocol.GRPC_WEB:
        return inbound.placed.filters
    web = HttpFilter(name="grpc-web", typed_config=pack(grpc_web_pb2.GrpcWeb()))
    return {**inbound.placed.filters, "grpc-web": (web,)}


def build_inbound_routes(inbound: InboundPort) -> route_pb2.RouteConfiguration:
    """Every request goes to the application; policies stand on the route."""
    number = inbound.port.number
    action = route_components_pb2.RouteAction(cluster=name_inbound_cluster(number))
    action.timeout.seconds = 0
    if inbound.protocol in (Protocol.HTTP, Protocol.HTTP2):
        # An application may close an idle connection at the moment in which a request comes.
        action.retry_policy.retry_on = "reset-before-request"
        action.retry_policy.num_retries.value = RETRIES
    route = route_components_pb2.Route(name="default", route=action)
    route.match.prefix = "/"
    for filter_name, config in inbound.placed.on_routes.items():
        route.typed_per_filter_config[filter_name].CopyFrom(config)
    host = route_components_pb2.VirtualHost(name=f"inbound|http|{number}", domains=["*"], routes=[route])
    routes = route_pb2.RouteConfiguration(name=name_inbound(number), virtual_hosts=[host])
    routes.validate_clusters.value = False
    return routes


def build_inbound_cluster(inbound: InboundPort) -> Cluster:
    """The application itself."""
    address = parse_address(inbound.port.application)
    by_name = address.HasField("socket_address") and not is_ip(address.socket_address.address)
    cluster = Cluster(
        name=name_inbound_cluster(inbound.port.number), type=Cluster.STRICT_DNS if by_name else Cluster.STATIC
    )
    set_limits(cluster)
    set_http_options(cluster, build_http_options(inbound.protocol))
    endpoint = endpoint_components_pb2.Endpoint(address=address)
    group = endpoint_components_pb2.LocalityLbEndpoints(
        lb_endpoints=[endpoint_components_pb2.LbEndpoint(endpoint=endpoint)]
    )
    assignment = endpoint_pb2.ClusterLoadAssignment(cluster_name=cluster.name, endpoints=[group])
    cluster.load_assignment.CopyFrom(assignment)
    return cluster
