"""What a gRPC client without a proxy has: a listener for each name that it may dial, routes, clusters.

It asks by name (`xds:///HOST[:PORT]` is the listener `HOST[:PORT]`), so listeners are told apart by the names
that its namespace may write, and only what it asks for is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from meshext_controlplane.model.virtual_service import VirtualService
from meshext_controlplane.snapshot import Resource
from meshext_controlplane.translate.grpc_matches import asks_authority
from meshext_controlplane.translate.grpc_routes import build_grpc_default, build_grpc_routes
from meshext_controlplane.translate.memo import Memo
from meshext_controlplane.translate.messages import build_ads, pack
from meshext_controlplane.translate.names import name_outbound, name_virtual_host
from meshext_controlplane.translate.outlook import Outlook
from meshext_controlplane.translate.route_matches import Source
from meshext_controlplane.translate.route_policies import Route
from meshext_controlplane.translate.virtual_host_names import HTTP_PORT, list_domains, list_lonely_ports
from meshext_controlplane.translate.virtual_services import list_destinations
from meshext_proto.envoy.config.listener.v3 import api_listener_pb2, listener_pb2
from meshext_proto.envoy.config.route.v3 import route_components_pb2, route_pb2
from meshext_proto.envoy.extensions.filters.http.fault.v3 import fault_pb2
from meshext_proto.envoy.extensions.filters.http.router.v3 import router_pb2
from meshext_proto.envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as manager_pb2,
)

HttpFilter = manager_pb2.HttpFilter
VirtualHost = route_components_pb2.VirtualHost


@dataclass(frozen=True, slots=True)
class Dialed:
    """A port of a host that a client may dial, under these names; `document` says how, if one does."""

    host: str
    port: int
    names: tuple[str, ...]
    document: VirtualService | None

    @property
    def routes(self) -> str:
        """The name of its route configuration."""
        return name_virtual_host(self.host, self.port)


def list_dialed(outlook: Outlook, namespace: str) -> Iterator[Dialed]:
    """All that a client of that namespace may dial. Of two with one name the first has it."""
    taken: set[str] = set()
    for dialed in (*_of_services(outlook, namespace), *_of_documents(outlook)):
        names = tuple(each for each in dialed.names if each not in taken)
        taken.update(names)
        if names:
            yield replace(dialed, names=names)


def _of_services(outlook: Outlook, namespace: str) -> Iterator[Dialed]:
    for service in outlook.services.values():
        found = outlook.virtual_services.find(service.host)
        document = found if found is not None and found.spec.http else None
        for port in service.ports:
            if port.protocol.is_http and "*" not in service.host:
                names = tuple(list_domains(service, port, namespace))
                yield Dialed(service.host, port.number, names, document)


def _of_documents(outlook: Outlook) -> Iterator[Dialed]:
    """Hosts that a VirtualService names and no service has."""
    for host, document in outlook.virtual_services.by_host.items():
        if host not in outlook.services and document.spec.http and "*" not in host:
            for port in list_lonely_ports(document):
                names = (host, f"{host}:{port}") if port == HTTP_PORT else (f"{host}:{port}",)
                yield Dialed(host, port, names, document)


@dataclass(frozen=True, slots=True)
class GrpcCalls:
    """Listeners and routes of clients with one view; `closed` where they may call nobody."""

    outlook: Outlook
    source: Source
    namespace: str
    memo: Memo
    closed: bool = False

    def resources(self) -> Iterator[Resource]:
        """All of them."""
        for dialed in list_dialed(self.outlook, self.namespace):
            yield self._routes(dialed)
            for name in dialed.names:
                build = partial(build_grpc_listener, name, dialed.routes)
                yield self.memo.encode(("grpc listener", name), (dialed.routes,), name, build)

    def _routes(self, dialed: Dialed) -> Resource:
        leads = tuple(self._leads(dialed))
        inputs = (dialed, self.source if dialed.document else None, self.closed, leads)
        key = ("grpc routes", dialed.routes, self.namespace)
        return self.memo.encode(key, inputs, dialed.routes, lambda: self._build(dialed))

    def _leads(self, dialed: Dialed) -> Iterator[object]:
        """All that the routes are made of beside the document itself."""
        document, outlook = dialed.document, self.outlook
        if document is None:
            yield outlook.consistent_hash(name_outbound(dialed.port, "", dialed.host))
            return
        for destination in list_destinations(document):
            cluster = outlook.cluster(destination, document.metadata.namespace, dialed.port)
            yield cluster
            yield outlook.consistent_hash(cluster)

    def _build(self, dialed: Dialed) -> route_pb2.RouteConfiguration:
        hosts = [VirtualHost(name=dialed.routes, domains=dialed.names)]
        matches = (
            (match for rule in dialed.document.spec.http for match in rule.match) if dialed.document else ()
        )
        if asks_authority(matches):
            hosts = [VirtualHost(name=name, domains=[name]) for name in dialed.names]
        for host in hosts:
            host.routes.extend(self._close(self._list_routes(dialed, host.domains[0])))
        return route_pb2.RouteConfiguration(name=dialed.routes, virtual_hosts=hosts)

    def _list_routes(self, dialed: Dialed, authority: str) -> Sequence[Route]:
        if dialed.document is None:
            return [build_grpc_default(name_outbound(dialed.port, "", dialed.host), self.outlook)]
        return build_grpc_routes(dialed.document, self.source, dialed.port, authority, self.outlook)

    def _close(self, routes: Sequence[Route]) -> Iterable[Route]:
        if self.closed:
            for route in routes:
                route.non_forwarding_action.SetInParent()
        return routes


def build_grpc_listener(name: str, routes: str) -> listener_pb2.Listener:
    """What a client gets that dials a name."""
    manager = manager_pb2.HttpConnectionManager(
        rds=manager_pb2.Rds(config_source=build_ads(), route_config_name=routes),
        http_filters=[
            HttpFilter(name="fault", typed_config=pack(fault_pb2.HTTPFault())),
            HttpFilter(name="router", typed_config=pack(router_pb2.Router())),
        ],
    )
    return listener_pb2.Listener(
        name=name, api_listener=api_listener_pb2.ApiListener(api_listener=pack(manager))
    )
