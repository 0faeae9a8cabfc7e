"""Where connections to a port go that is not HTTP: to the service, or where a VirtualService sends them."""

from __future__ import annotations

from collections.abc import Sequence

from meshext_controlplane.model.virtual_service import L4Destination, L4Match, VirtualService
from meshext_controlplane.translate.names import name_outbound
from meshext_controlplane.translate.outlook import Outlook
from meshext_controlplane.translate.protocols import Protocol
from meshext_controlplane.translate.route_matches import Source
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
    return own if route is None else _weigh(outlook, document, route, port.number)


def _find_route(
    document: VirtualService, port: MeshPort, source: Source, server_name: str
) -> Sequence[L4Destination] | None:
    if port.protocol is Protocol.TLS:
        for route in document.spec.tls:
            for match in route.match:
                if _is_for(match, source, port) and any(
                    _covers(name, server_name) for name in match.sni_hosts
                ):
                    return route.route
        return None
    for tcp in document.spec.tcp:
        if not tcp.match or any(_is_for(match, source, port) for match in tcp.match):
            return tcp.route
    return None


def _is_for(match: L4Match, source: Source, port: MeshPort) -> bool:
    return match.port in (None, port.number) and source.fits(match.source_namespace, match.source_labels)


def _covers(pattern: str, name: str) -> bool:
    return pattern == name or (pattern.startswith("*.") and name.endswith(pattern[1:]))


def _weigh(outlook: Outlook, document: VirtualService, route: Sequence[L4Destination], port: int) -> Weighted:
    chosen = [each for each in route if each.weight or len(route) == 1]
    namespace = document.metadata.namespace
    return tuple((outlook.cluster(each.destination, namespace, port), each.weight or 1) for each in chosen)
