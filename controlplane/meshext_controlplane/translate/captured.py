"""What clients of one scope reach through a transparent sidecar: by port, by address, by name.

A connection says where it was going, so a service is known by its own address, or by the one that stands for
it. At a port where anybody speaks HTTP, requests are told apart by the host that they name, whatever address
they go to; so are connections with TLS, by the name that they ask for in clear.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from meshext_controlplane.translate.l4_routes import Weighted, find_destinations
from meshext_controlplane.translate.outbound_listeners import Leg
from meshext_controlplane.translate.outbound_tcp import list_legs
from meshext_controlplane.translate.outlook import Outlook
from meshext_controlplane.translate.protocols import Protocol
from meshext_controlplane.translate.route_matches import Source
from meshext_controlplane.translate.services import MeshPort, MeshService, Resolution
from meshext_controlplane.translate.virtual_host_names import list_lonely_ports

Addresses = Mapping[str, str]
"""Addresses that stand for hosts."""


@dataclass(frozen=True, slots=True)
class Lane:
    """Connections that ask in TLS for a name; `looked_up` is where DNS says what address that is."""

    leg: Leg
    looked_up: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Connections to a block of addresses (CIDR, IPv4) that is one service's; they are not looked into."""

    network: str
    legs: tuple[Leg, ...]


@dataclass(frozen=True, slots=True)
class CapturedPort:
    """A port at any address: whether HTTP is looked for, lanes of TLS, and where the rest of it goes.

    An empty `rest` is where everything goes that no document names. At `told`, networks (CIDR, IPv4) that
    documents give to services of HTTP, what is not TLS is HTTP, whatever it looks like.
    """

    number: int
    http: bool = False
    lanes: tuple[Lane, ...] = ()
    rest: Weighted = ()
    blocks: tuple[Block, ...] = ()
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CapturedAddress:
    """A port of an address that is one service's."""

    address: str
    number: int
    legs: tuple[Leg, ...]


@dataclass(frozen=True, slots=True)
class Captured:
    """All of it."""

    ports: tuple[CapturedPort, ...]
    addresses: tuple[CapturedAddress, ...]


@dataclass(slots=True)
class _Found:
    """What is known of a port until all services have been looked at; the first of two is the one."""

    http: bool = False
    lanes: dict[str, Lane] = field(default_factory=dict)
    rest: Weighted = ()
    blocks: dict[str, Block] = field(default_factory=dict)
    told: dict[str, None] = field(default_factory=dict)

    def build(self, number: int) -> CapturedPort:
        lanes, blocks = tuple(self.lanes.values()), tuple(self.blocks.values())
        told = tuple(each for each in self.told if each not in self.blocks)
        return CapturedPort(number, self.http, lanes, self.rest, blocks, told)


def addresses_of(service: MeshService, standing: Addresses) -> tuple[str, ...]:
    """The addresses that are a service's alone: those of documents, else the one that stands for it."""
    if service.addresses:
        return service.addresses
    return (standing[service.host],) if service.host in standing else ()


def needs_address(service: MeshService) -> bool:
    """Whether an address has to stand for a service: it has none, and is no pattern of names.

    What is reached AS_ASKED is where its own name says, so that stays the answer to its name.
    """
    asked = service.resolution is Resolution.AS_ASKED or service.host.startswith("*")
    return not service.addresses and not service.blocks and not asked


def find_captured(outlook: Outlook, source: Source, standing: Addresses) -> Captured:
    """What clients of a scope with the same labels reach."""
    ports: dict[int, _Found] = {}
    addressed: dict[tuple[str, int], CapturedAddress] = {}
    for service in outlook.services.values():
        for port in service.ports:
            if port.protocol.is_http:
                found = ports.setdefault(port.number, _Found())
                found.http = True
                found.told.update(dict.fromkeys(list_told(service)))
                continue
            _add_lanes(ports, outlook, service, port, source)
            legs = tuple(list_legs(outlook, service, port, source, alone=True))
            for address in addresses_of(service, standing):
                captured = CapturedAddress(address, port.number, legs)
                addressed.setdefault((address, port.number), captured)
            for network in list_networks(service):
                found = ports.setdefault(port.number, _Found())
                found.blocks.setdefault(network, Block(network, legs))
    for number in _lonely_ports(outlook):
        ports.setdefault(number, _Found()).http = True
    return Captured(
        tuple(found.build(number) for number, found in sorted(ports.items())), tuple(addressed.values())
    )


def list_told(service: MeshService) -> Iterator[str]:
    """The addresses and blocks that documents give to a service; one that stands for it leads nowhere."""
    for each in service.addresses:
        network = ipaddress.ip_network(each)
        if network.version == 4:
            yield str(network)
    yield from list_networks(service)


def list_networks(service: MeshService) -> Iterator[str]:
    """A service's blocks of IPv4 addresses in their plain form; IPv6 never comes to a transparent sidecar."""
    for each in service.blocks:
        network = ipaddress.ip_network(each, strict=False)
        if network.version == 4:
            yield str(network)


def _add_lanes(
    ports: dict[int, _Found], outlook: Outlook, service: MeshService, port: MeshPort, source: Source
) -> None:
    asked = service.resolution is Resolution.AS_ASKED
    if port.protocol is Protocol.TLS:
        found = ports.setdefault(port.number, _Found())
        for leg in list_legs(outlook, service, port, source, alone=False):
            found.lanes.setdefault(leg.server_name, Lane(leg, asked and not service.as_meant))
    elif service.as_meant and not service.addresses and not service.blocks:
        found = ports.setdefault(port.number, _Found())
        found.rest = found.rest or find_destinations(outlook, service, port, source, service.host)


def _lonely_ports(outlook: Outlook) -> Iterator[int]:
    """Ports of hosts that a VirtualService names and no service has."""
    for host, document in outlook.virtual_services.by_host.items():
        if host not in outlook.services and document.spec.http:
            yield from list_lonely_ports(document)
