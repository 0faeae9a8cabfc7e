"""Where connections to a port go that is not HTTP: to the service, or where a VirtualService sends them."""

from __future__ import annotations

from collections.abc import Sequence

from meshext_controlplane.model.virtual_service import L4Destination, VirtualService
from meshext_controlplane.translate.names import name_outbound
from meshext_controlplane.translate.outlook import Outlook
from meshext_controlplane.translate.protocols import Protocol
from meshext_controlplane.translate.route_matches import Source, is_for
from meshext_controlplane.translate.services import MeshPort, MeshService

Weighted = tuple[tuple[str, int], ...]
"""Clusters, each with its weight."""


def find_destinations(
    outlook: Outlook, service: MeshService, port: MeshPort, source: Source, server_name: str
) -> Weighted:
    """The clusters for connections of a client to a port; `server_name` is what it asks for in TLS."""
    document = outlook.virtual_services.find(service.host)
    own = ((name_outbound(port.number, "", service.host), 1),)
    if document is None:
        return own
    route = _find_route(document, port, source, server_name)
    return own if route is None else weigh(outlook, document, route, port.number)


def _find_route(
    document: VirtualService, port: MeshPort, source: Source, server_name: str
) -> Sequence[L4Destination] | None:
    namespace = document.metadata.namespace
    if port.protocol is Protocol.TLS:
        for route in document.spec.tls:
            for match in route.match:
                if is_for(match, source, port.number, namespace) and any(
                    _covers(name, server_name) for name in match.sni_hosts
                ):
                    return route.route
        return None
    return find_tcp_route(document, port.number, source)


def find_tcp_route(document: VirtualService, port: int, source: Source) -> Sequence[L4Destination] | None:
    """Where the document sends a client's connections to a port; None where it does not say."""
    for tcp in document.spec.tcp:
        matches = tcp.match
        if not matches or any(is_for(each, source, port, document.metadata.namespace) for each in matches):
            return tcp.route
    return None


def _covers(pattern: str, name: str) -> bool:
    return pattern == name or (pattern.startswith("*.") and name.endswith(pattern[1:]))


def weigh(outlook: Outlook, document: VirtualService, route: Sequence[L4Destination], port: int) -> Weighted:
    """The clusters of a route's destinations for a port, as far as they have a share."""
    chosen = [each for each in route if each.weight or len(route) == 1]
    namespace = document.metadata.namespace
    return tuple((outlook.cluster(each.destination, namespace, port), each.weight or 1) for each in chosen)
