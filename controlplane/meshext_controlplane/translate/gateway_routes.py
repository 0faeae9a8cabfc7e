"""Routes of a gateway: for each host what the VirtualServices say that are bound to the Gateway.

Several documents for one host are one after the other, and what takes every request comes last, as in Istio.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from meshext_controlplane.model.hosts import covers
from meshext_controlplane.model.virtual_service import VirtualService
from meshext_controlplane.translate.catalog import Catalog
from meshext_controlplane.translate.confinement import Confined
from meshext_controlplane.translate.gateways import BoundServer, Family, GatewayPort
from meshext_controlplane.translate.http_routes import build_routes
from meshext_controlplane.translate.names import name_virtual_host
from meshext_controlplane.translate.outlook import Outlook
from meshext_controlplane.translate.route_matches import Source
from meshext_controlplane.translate.server_hosts import narrowest, rank
from meshext_proto.envoy.config.route.v3 import route_components_pb2, route_pb2
from meshext_proto.google.protobuf import any_pb2

HTTP, HTTPS = 80, 443
MISDIRECTED = 421
"""RFC 9110 section 15.5.20: the client shall ask on a connection that was made for that name."""

TOLD_BY_SIDECARS = ("x-envoy-upstream-service-time", "x-envoy-decorator-operation")
"""Headers of responses that are nobody's business outside."""

Route = route_components_pb2.Route
VirtualHost = route_components_pb2.VirtualHost


@dataclass(slots=True)
class _Domain:
    """One host: the port that HTTP is sent to (0 for none), and whose routes it has."""

    secure: int = 0
    bound: list[tuple[BoundServer, VirtualService]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Entrance:
    """Servers that share a route configuration: those of a port without TLS, or one of HTTPS.

    `labels` and `namespace` are the gateway workload's.
    """

    port: GatewayPort
    servers: tuple[BoundServer, ...]
    namespace: str
    labels: tuple[tuple[str, str], ...]

    def source(self, server: BoundServer) -> Source:
        """Who sends what comes in at a server, as matches see it."""
        return Source(self.namespace, self.labels, server.gateway)


def build_gateway_routes(
    name: str, entrance: Entrance, catalog: Catalog, outlook: Outlook, on_routes: Mapping[str, any_pb2.Any]
) -> route_pb2.RouteConfiguration:
    """The route configuration; a host that is none of the servers' is answered with 404."""
    hosts = [
        _build_host(host, domain, entrance, outlook)
        for host, domain in _collect(entrance, catalog).items()
        if domain.bound or domain.secure
    ]
    hosts += [_build_misdirected(host, entrance.port) for host in _others_hosts(entrance)]
    routes = route_pb2.RouteConfiguration(name=name, virtual_hosts=hosts)
    # A port in Host means the port that the client has found us at, whatever it is outside.
    routes.ignore_port_in_host_matching = True
    routes.validate_clusters.value = False
    routes.response_headers_to_remove.extend(TOLD_BY_SIDECARS)
    for filter_name, config in on_routes.items():
        routes.typed_per_filter_config[filter_name].CopyFrom(config)
    return routes


def _collect(entrance: Entrance, catalog: Catalog) -> Mapping[str, _Domain]:
    """Every host, and what is said about it."""
    others = _others_hosts(entrance)
    domains: dict[str, _Domain] = {}
    for server in entrance.servers:
        tls = server.server.tls
        if tls is not None and tls.https_redirect:
            for host in server.hosts:
                domains.setdefault(host, _Domain()).secure = _find_secure_port(server, host)
        for routes in catalog.gateways.routes(server, entrance.namespace):
            for host in routes.hosts if routes.document.spec.http else ():
                if not others or narrowest(others, host) < narrowest(server.hosts, host):
                    domains.setdefault(host, _Domain()).bound.append((server, routes.document))
    secure = {host: each.secure for host, each in domains.items() if each.secure}
    for host, domain in domains.items():
        above = [port for pattern, port in secure.items() if covers(pattern, host)]
        domain.secure = domain.secure or next(iter(above), 0)
    return domains


def _others_hosts(entrance: Entrance) -> list[str]:
    """Hosts of other servers of the port that our own patterns cover too: those have TLS of their own.

    A client that was let in for one name may not ask for the other, which may want its certificate.
    """
    if entrance.port.family is not Family.TLS:
        return []
    own = entrance.servers[0].hosts
    others = [host for each in entrance.port.servers if each not in entrance.servers for host in each.hosts]
    return [
        host
        for host in dict.fromkeys(others)
        if any(covers(pattern, host) for pattern in own) and narrowest(own, host) < rank(host)
    ]


def _find_secure_port(server: BoundServer, host: str) -> int:
    """The port of HTTPS for a host in the same Gateway, as it is seen from outside."""
    for other in server.document.spec.servers:
        served = BoundServer(server.document, other).hosts
        if other.port.protocol == "HTTPS" and any(covers(each, host) for each in served):
            return other.port.number
    return HTTPS


def _build_host(host: str, domain: _Domain, entrance: Entrance, outlook: Outlook) -> VirtualHost:
    port = entrance.port.number
    routes: list[Route] = []
    confined = Confined(outlook, host)
    for server, document in domain.bound:
        routes += build_routes(document, entrance.source(server), port, confined)
    for route in routes:
        confined.confine(route)
    routes.sort(key=_takes_everything)
    if domain.secure:
        routes.insert(0, _build_redirect(port, domain.secure))
    return VirtualHost(name=name_virtual_host(host, port), domains=[host], routes=routes)


def _takes_everything(route: Route) -> bool:
    match = route.match
    return match.prefix == "/" and not match.headers and not match.query_parameters


def _build_redirect(here: int, there: int) -> Route:
    """To HTTPS, unless a trusted proxy in front says that it has ended TLS already."""
    route = Route(name="https")
    route.match.prefix = "/"
    header = route.match.headers.add(name="x-forwarded-proto")
    header.string_match.exact = "http"
    route.redirect.https_redirect = True
    if (here, there) != (HTTP, HTTPS):
        route.redirect.port_redirect = there
    return route


def _build_misdirected(host: str, port: GatewayPort) -> VirtualHost:
    route = Route(name="misdirected")
    route.match.prefix = "/"
    route.direct_response.status = MISDIRECTED
    return VirtualHost(name=name_virtual_host(host, port.number), domains=[host], routes=[route])
