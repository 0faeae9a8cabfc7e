"""Routes of a transparent sidecar: for each port at which anybody speaks HTTP, by the host of the request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from meshext_controlplane.snapshot import Resource
from meshext_controlplane.translate.captured import Addresses, addresses_of
from meshext_controlplane.translate.http_routes import build_routes
from meshext_controlplane.translate.memo import Memo
from meshext_controlplane.translate.names import name_captured_port, name_virtual_host, short_names
from meshext_controlplane.translate.outbound_routes import (
    build_service_routes,
    encode_host,
    join_hosts,
    list_leads,
)
from meshext_controlplane.translate.outlook import Outlook
from meshext_controlplane.translate.passing import build_rest
from meshext_controlplane.translate.route_matches import Source
from meshext_controlplane.translate.services import MeshPort, MeshService
from meshext_controlplane.translate.virtual_host_names import list_lonely_ports
from meshext_proto.envoy.config.route.v3 import route_components_pb2
from meshext_proto.google.protobuf import any_pb2


class CapturedRoutes:
    """The routes of clients in one scope with the same labels."""

    def __init__(
        self, outlook: Outlook, source: Source, memo: Memo, allow_any: bool, standing: Addresses
    ) -> None:
        self._outlook = outlook
        self._source = source
        self._memo = memo
        self._standing = standing
        self._rest = encode_host(build_rest(allow_any, tunnels=False))
        self._by_port: dict[int, list[tuple[MeshService, MeshPort]]] = {}
        for service in outlook.services.values():
            for port in service.ports:
                if port.protocol.is_http:
                    self._by_port.setdefault(port.number, []).append((service, port))
        self._parts: dict[tuple[int, str], tuple[bytes, ...]] = {}

    def resource(self, number: int, namespace: str, on_routes: Mapping[str, any_pb2.Any]) -> Resource:
        """The resource of a port for clients in that namespace; `on_routes` as policies say to filters."""
        if (parts := self._parts.get((number, namespace))) is None:
            parts = self._parts[number, namespace] = tuple(self._list_parts(number, namespace))
        name = name_captured_port(number)
        inputs = (parts, *on_routes.values())
        return self._memo.take(
            ("captured", number, namespace, tuple(on_routes)),
            inputs,
            lambda: join_hosts(name, parts, on_routes),
            variants=1,
        )

    def _list_parts(self, number: int, namespace: str) -> Iterator[bytes]:
        taken: set[str] = set()
        for service, port in self._by_port.get(number, ()):
            names = (*short_names(service.host, namespace), *map(_bracket, self._addresses(service)))
            if domains := _claim(names, number, taken):
                yield self._host(service, port, domains, own=service.namespace == namespace)
        for host, document in self._outlook.virtual_services.by_host.items():
            if host in self._outlook.services or number not in list_lonely_ports(document):
                continue
            if document.spec.http and (domains := _claim((host,), number, taken)):
                routes = build_routes(document, self._source, number, self._outlook)
                yield _encode(host, number, domains, routes)
        yield self._rest

    def _addresses(self, service: MeshService) -> tuple[str, ...]:
        return addresses_of(service, self._standing)

    def _host(self, service: MeshService, port: MeshPort, domains: Sequence[str], *, own: bool) -> bytes:
        document = self._outlook.virtual_services.find(service.host)
        leads = tuple(list_leads(self._outlook, document, service, port))
        return self._memo.take(
            ("captured host", service, port, own),
            (domains, document, self._source if document else None, leads),
            lambda: _encode(
                service.host,
                port.number,
                domains,
                build_service_routes(self._outlook, self._source, service, port),
            ),
        )


def _claim(names: Sequence[str], number: int, taken: set[str]) -> tuple[str, ...]:
    """Names with and without the port, as clients write either, that nobody has had before."""
    wanted = dict.fromkeys((*names, *(f"{name}:{number}" for name in names)))
    domains = tuple(each for each in wanted if each not in taken)
    taken.update(domains)
    return domains


def _encode(
    host: str, number: int, domains: Sequence[str], routes: Sequence[route_components_pb2.Route]
) -> bytes:
    name = name_virtual_host(host, number)
    return encode_host(route_components_pb2.VirtualHost(name=name, domains=domains, routes=routes))


def _bracket(address: str) -> str:
    return f"[{address}]" if ":" in address else address
