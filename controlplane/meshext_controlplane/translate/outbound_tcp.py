"""The TCP ports of one client: which legs each of them has."""

from __future__ import annotations

from collections.abc import Iterator

from meshext_controlplane.translate.l4_routes import find_destinations
from meshext_controlplane.translate.outbound_listeners import Leg, assign_ports
from meshext_controlplane.translate.outlook import Outlook
from meshext_controlplane.translate.protocols import Protocol
from meshext_controlplane.translate.route_matches import Source
from meshext_controlplane.translate.services import MeshPort, MeshService

TcpPorts = tuple[tuple[int, tuple[Leg, ...]], ...]
"""Each port, and its legs in the order in which they are looked at."""


def list_tcp_ports(outlook: Outlook, source: Source) -> TcpPorts:
    """The ports of clients of one scope with the same labels, where they are free."""
    return tuple(_list_ports(outlook, source))


def _list_ports(outlook: Outlook, source: Source) -> Iterator[tuple[int, tuple[Leg, ...]]]:
    for number, sharers in assign_ports(outlook.services.values()).items():
        legs: dict[str, Leg] = {}
        for service, port in sharers:
            for leg in list_legs(outlook, service, port, source, alone=len(sharers) == 1):
                legs.setdefault(leg.server_name, leg)
        yield number, tuple(legs.values())


def list_legs(
    outlook: Outlook, service: MeshService, port: MeshPort, source: Source, *, alone: bool
) -> Iterator[Leg]:
    """The legs of one service's port; of one that is not `alone` there, each with the name it is known by."""
    document = outlook.virtual_services.find(service.host)
    if port.protocol is Protocol.TLS and document is not None:
        names = dict.fromkeys(
            name for route in document.spec.tls for match in route.match for name in match.sni_hosts
        )
        for name in names:
            yield Leg(name, find_destinations(outlook, service, port, source, name))
    own = find_destinations(outlook, service, port, source, service.host)
    yield Leg("" if alone else service.host, own)
