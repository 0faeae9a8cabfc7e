"""What one gateway has for itself: listeners of its Gateways' servers, their routes, their certificates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from meshext_controlplane.model.proxy import Proxy
from meshext_controlplane.snapshot import Resource, encode_resource
from meshext_controlplane.translate.catalog import Catalog
from meshext_controlplane.translate.gateway_listeners import Leg, build_gateway_listener, share_names
from meshext_controlplane.translate.gateway_routes import Entrance, build_gateway_routes
from meshext_controlplane.translate.gateway_secrets import Keeper
from meshext_controlplane.translate.gateways import BoundServer, Family, GatewayPort
from meshext_controlplane.translate.l4_routes import Weighted, find_tcp_route, weigh
from meshext_controlplane.translate.memo import Memo
from meshext_controlplane.translate.names import name_gateway, name_gateway_routes, name_server_routes
from meshext_controlplane.translate.outlook import Outlook
from meshext_controlplane.translate.policies import Placed, Policies
from meshext_controlplane.translate.route_matches import Source, is_for
from meshext_controlplane.translate.server_hosts import common_host


@dataclass(frozen=True, slots=True)
class GatewayProxy:
    """One gateway, and what its part of the configuration is made of."""

    proxy: Proxy
    catalog: Catalog
    policies: Policies
    outlook: Outlook
    memo: Memo

    def resources(self) -> Iterator[Resource]:
        """All that other proxies do not have alike."""
        workload = self.proxy.workload
        placed = self.policies.gateway(workload)
        yield from placed.resources
        for port in self.catalog.gateways.ports(workload, self.catalog.services_of(workload)):
            yield from self._port(port, placed)

    def _port(self, port: GatewayPort, placed: Placed) -> Iterator[Resource]:
        legs = list(share_names(port, self._legs(port)))
        if not legs:
            return
        listener = build_gateway_listener(
            port, self.proxy.workload.address, legs, self.catalog.config, placed
        )
        yield encode_resource(name_gateway(port.bind, port.number), listener)
        for leg in legs:
            yield from leg.material.resources if leg.material is not None else ()
            if leg.routes:
                servers = port.servers if port.family is Family.HTTP else (leg.server,)
                entrance = self._entrance(port, servers)
                built = build_gateway_routes(
                    leg.routes, entrance, self.catalog, self.outlook, placed.on_routes
                )
                yield encode_resource(leg.routes, built)

    def _entrance(self, port: GatewayPort, servers: tuple[BoundServer, ...]) -> Entrance:
        workload = self.proxy.workload
        return Entrance(port, servers, workload.namespace, tuple(sorted(workload.labels.items())))

    def _legs(self, port: GatewayPort) -> Iterator[Leg]:
        """The filter chains of a port; none where nothing may be served there."""
        if port.family is Family.HTTP:
            yield Leg(port.servers[0], (), name_gateway_routes(port.bind, port.number))
        for bound in port.servers:
            if port.family is Family.TCP:
                if clusters := self._tcp_clusters(port, bound):
                    yield Leg(bound, (), clusters=clusters)
            elif port.family is Family.TLS:
                yield from self._tls_legs(port, bound)

    def _tls_legs(self, port: GatewayPort, bound: BoundServer) -> Iterator[Leg]:
        tls = bound.server.tls
        if tls is None or not tls.terminates:
            yield from self._passing_legs(port, bound)
            return
        keeper = Keeper(self.catalog.secrets, self.proxy.workload.namespace, self.memo)
        if (material := keeper.find(tls)) is None:
            return
        names = to_server_names(bound.hosts)
        if bound.server.port.protocol == "HTTPS":
            routes = name_server_routes(bound.gateway, port.number, bound.server.port.name)
            yield Leg(bound, names, routes, material=material)
        elif clusters := self._tcp_clusters(port, bound):
            yield Leg(bound, names, clusters=clusters, material=material)

    def _passing_legs(self, port: GatewayPort, bound: BoundServer) -> Iterator[Leg]:
        """TLS that does not end here: by the names that VirtualServices send somewhere."""
        source = self._source(bound)
        for routes in self.catalog.gateways.routes(bound, source.namespace):
            document = routes.document
            for route in document.spec.tls:
                for match in route.match:
                    if not is_for(match, source, port.number, document.metadata.namespace):
                        continue
                    both = [common_host(sni, host) for sni in match.sni_hosts for host in routes.hosts]
                    if names := [each for each in both if each]:
                        clusters = weigh(self.outlook, document, route.route, port.number)
                        yield Leg(bound, to_server_names(names), clusters=clusters)

    def _tcp_clusters(self, port: GatewayPort, bound: BoundServer) -> Weighted:
        """Where connections go; nowhere unless a VirtualService says so."""
        source = self._source(bound)
        for routes in self.catalog.gateways.routes(bound, source.namespace):
            route = find_tcp_route(routes.document, port.number, source)
            if route is not None:
                return weigh(self.outlook, routes.document, route, port.number)
        return ()

    def _source(self, bound: BoundServer) -> Source:
        workload = self.proxy.workload
        return Source(workload.namespace, tuple(sorted(workload.labels.items())), bound.gateway)


def to_server_names(hosts: Sequence[str]) -> tuple[str, ...]:
    """Names in TLS; none where every name is meant, or that there is no name."""
    return () if "*" in hosts else tuple(dict.fromkeys(hosts))
