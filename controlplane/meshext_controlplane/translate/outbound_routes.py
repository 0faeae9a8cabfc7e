"""Routes of the application's HTTP proxy: by authority to every service that it may call.

A thousand services make a megabyte, and most clients have the same. So each virtual host is encoded once, and
a route configuration is put together of encoded ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from meshext_controlplane.model.virtual_service import VirtualService
from meshext_controlplane.snapshot import ROUTE, Resource, from_body
from meshext_controlplane.translate.http_routes import build_default_route, build_routes
from meshext_controlplane.translate.l4_routes import Weighted, find_destinations
from meshext_controlplane.translate.memo import Memo
from meshext_controlplane.translate.names import OUTBOUND_HTTP, name_outbound, name_virtual_host
from meshext_controlplane.translate.outlook import Outlook
from meshext_controlplane.translate.passing import build_connect_route, build_rest
from meshext_controlplane.translate.route_matches import Source
from meshext_controlplane.translate.services import MeshPort, MeshService
from meshext_controlplane.translate.virtual_host_names import HTTP_PORT, list_domains, list_lonely_ports
from meshext_controlplane.translate.virtual_services import list_destinations
from meshext_proto.envoy.config.route.v3 import route_components_pb2, route_pb2
from meshext_proto.google.protobuf import any_pb2


@dataclass(frozen=True, slots=True)
class _Piece:
    """A virtual host of the shared routes: whose it is, under which names, and encoded."""

    service: MeshService
    port: MeshPort
    domains: tuple[str, ...]
    body: bytes


class OutboundRoutes:
    """The routes of clients in one scope with the same labels."""

    def __init__(self, outlook: Outlook, source: Source, memo: Memo, allow_any: bool) -> None:
        self._outlook = outlook
        self._source = source
        self._memo = memo
        self._taken: set[str] = set()
        self._made: dict[str, Resource] = {}
        self._pieces: list[_Piece] = []
        self._by_namespace: dict[str, list[int]] = {}
        for service in outlook.services.values():
            for port in service.ports:
                self._add(service, port)
        self._last = [*self._lonely_hosts(), encode_host(build_rest(allow_any))]

    def resource(self, namespace: str, on_routes: Mapping[str, any_pb2.Any]) -> Resource:
        """The resource for clients in that namespace, which call its services by their names alone.

        `on_routes` is what policies say to filters, for all routes.
        """
        if not on_routes and (made := self._made.get(namespace)) is not None:
            return made
        made = self._join_for(namespace, on_routes)
        if not on_routes:
            self._made[namespace] = made
        return made

    def _join_for(self, namespace: str, on_routes: Mapping[str, any_pb2.Any]) -> Resource:
        bodies = [piece.body for piece in self._pieces]
        taken = set(self._taken) if namespace in self._by_namespace else self._taken
        for number in self._by_namespace.get(namespace, ()):
            piece = self._pieces[number]
            more = [each for each in list_domains(piece.service, piece.port, namespace) if each not in taken]
            if more:
                taken.update(more)
                bodies[number] = self._host(piece.service, piece.port, (*piece.domains, *more), own=True)
        parts = (*bodies, *self._last)
        key = ("routes", namespace, tuple(on_routes))
        inputs = (parts, *on_routes.values())
        # Half a megabyte of a mesh of a thousand services: what was before is not worth keeping.
        return self._memo.take(key, inputs, lambda: join_hosts(OUTBOUND_HTTP, parts, on_routes), variants=1)

    def _add(self, service: MeshService, port: MeshPort) -> None:
        domains = tuple(each for each in list_domains(service, port, "") if each not in self._taken)
        self._taken.update(domains)
        if domains:
            self._by_namespace.setdefault(service.namespace, []).append(len(self._pieces))
            body = self._host(service, port, domains)
            self._pieces.append(_Piece(service, port, domains, body))

    def _host(
        self, service: MeshService, port: MeshPort, domains: tuple[str, ...], *, own: bool = False
    ) -> bytes:
        document = self._outlook.virtual_services.find(service.host)
        tunnel = find_destinations(self._outlook, service, port, self._source, service.host)
        leads = tuple(list_leads(self._outlook, document, service, port))
        return self._memo.take(
            ("host", service, port, own),
            (domains, document, self._source if document else None, tunnel, leads),
            lambda: encode_host(self._build_host(service, port, domains, tunnel)),
        )

    def _build_host(
        self,
        service: MeshService,
        port: MeshPort,
        domains: Sequence[str],
        tunnel: Weighted,
    ) -> route_components_pb2.VirtualHost:
        routes = [build_connect_route(tunnel)]
        if port.protocol.is_http:
            routes += build_service_routes(self._outlook, self._source, service, port)
        name = name_virtual_host(service.host, port.number)
        return route_components_pb2.VirtualHost(name=name, domains=domains, routes=routes)

    def _lonely_hosts(self) -> Iterator[bytes]:
        """Hosts that a VirtualService names and no service has."""
        for host, document in self._outlook.virtual_services.by_host.items():
            if host in self._outlook.services or not document.spec.http:
                continue
            for port in list_lonely_ports(document):
                named = [host, f"{host}:{port}"] if port == HTTP_PORT else [f"{host}:{port}"]
                domains = [each for each in named if each not in self._taken]
                self._taken.update(domains)
                if domains:
                    routes = build_routes(document, self._source, port, self._outlook)
                    name = name_virtual_host(host, port)
                    built = route_components_pb2.VirtualHost(name=name, domains=domains, routes=routes)
                    yield encode_host(built)


def build_service_routes(
    outlook: Outlook, source: Source, service: MeshService, port: MeshPort
) -> list[route_components_pb2.Route]:
    """The routes of requests to a service's port: a VirtualService's, or the one to the service itself."""
    document = outlook.virtual_services.find(service.host)
    if document is not None and document.spec.http:
        return build_routes(document, source, port.number, outlook)
    return [build_default_route(name_outbound(port.number, "", service.host), outlook)]


def list_leads(
    outlook: Outlook, document: VirtualService | None, service: MeshService, port: MeshPort
) -> Iterator[object]:
    """All that a service's routes are made of beside the document itself."""
    if document is None or not document.spec.http:
        yield outlook.consistent_hash(name_outbound(port.number, "", service.host))
        return
    for destination in list_destinations(document):
        cluster = outlook.cluster(destination, document.metadata.namespace, port.number)
        yield cluster
        yield outlook.consistent_hash(cluster)


def encode_host(host: route_components_pb2.VirtualHost) -> bytes:
    """The virtual host as it stands in a route configuration."""
    return route_pb2.RouteConfiguration(virtual_hosts=[host]).SerializeToString(deterministic=True)


def join_hosts(name: str, parts: Sequence[bytes], on_routes: Mapping[str, any_pb2.Any]) -> Resource:
    """The route configuration of encoded virtual hosts: what encoding it whole gives, byte for byte."""
    last = route_pb2.RouteConfiguration()
    last.validate_clusters.value = False
    for filter_name, config in on_routes.items():
        last.typed_per_filter_config[filter_name].CopyFrom(config)
    head = route_pb2.RouteConfiguration(name=name).SerializeToString()
    body = b"".join((head, *parts, last.SerializeToString(deterministic=True)))
    return from_body(ROUTE, name, body)
