"""Gateways of a mesh: which servers a gateway workload has, port by port, and which routes are for them.

All Gateways whose selector a workload fits are one; of servers that exclude each other the first is the one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from meshext_controlplane.model.exporting import is_exported
from meshext_controlplane.model.gateway import PLAIN, Gateway, Server
from meshext_controlplane.model.gateway_names import is_bound
from meshext_controlplane.model.hosts import qualify_host
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.virtual_service import VirtualService
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.translate.members import is_selected
from meshext_controlplane.translate.server_hosts import common_host
from meshext_controlplane.translate.services import MeshService


class Family(Enum):
    """What a port's first bytes are; servers of different ones can not share it."""

    HTTP = "HTTP"
    TLS = "TLS"
    TCP = "TCP"


@dataclass(frozen=True, slots=True)
class BoundServer:
    """A server, and the Gateway that it is in."""

    document: Gateway
    server: Server

    @property
    def gateway(self) -> str:
        """`NAMESPACE/NAME` of the Gateway."""
        return self.document.full_name

    @property
    def family(self) -> Family:
        """That of its protocol."""
        protocol = self.server.port.protocol
        return Family.HTTP if protocol in PLAIN else Family.TCP if protocol == "TCP" else Family.TLS

    @property
    def routes_kind(self) -> str:
        """Which routes of a VirtualService count there: `http`, `tls` or `tcp`."""
        tls = self.server.tls
        if self.family is Family.TLS and (tls is None or not tls.terminates):
            return "tls"
        return "http" if self.family is Family.HTTP or self.server.port.protocol == "HTTPS" else "tcp"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Its hosts, without namespaces."""
        return tuple(dict.fromkeys(host.rpartition("/")[2] for host in self.server.hosts))

    def hosts_for(self, namespace: str) -> tuple[str, ...]:
        """Its hosts for which documents of that namespace may speak."""
        own = self.document.metadata.namespace
        hosts = []
        for text in self.server.hosts:
            wanted, slash, host = text.rpartition("/")
            wanted = own if wanted == "." else wanted
            if not slash or wanted in ("*", namespace):
                hosts.append(host)
        return tuple(dict.fromkeys(hosts))


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayPort:
    """A port of a gateway: `number` as Gateways write it, `listens` where it is on the machine."""

    bind: str
    number: int
    listens: int
    servers: tuple[BoundServer, ...]

    @property
    def family(self) -> Family:
        """What all of its servers are."""
        return self.servers[0].family


@dataclass(frozen=True, slots=True)
class BoundRoutes:
    """A VirtualService at a server: the hosts that both have."""

    document: VirtualService
    hosts: tuple[str, ...]


class Gateways:
    """The Gateways of a mesh's documents, and its VirtualServices, with what they delegate put in."""

    def __init__(self, mesh: Mesh, virtual_services: Sequence[VirtualService]) -> None:
        self._gateways = mesh.of(Gateway)
        self._virtual_services: Mapping[str, Sequence[VirtualService]] = _by_gateway(
            virtual_services, self._gateways
        )

    def selecting(self, workload: Workload) -> Iterator[Gateway]:
        """The Gateways that a gateway workload serves."""
        for gateway in self._gateways:
            if workload.gateway and is_selected(workload.labels, gateway.spec.selector):
                yield gateway

    def ports(self, workload: Workload, services: Iterable[MeshService]) -> tuple[GatewayPort, ...]:
        """The ports of a gateway workload; `services` are those that it is behind."""
        targets = _find_targets(services)
        found: dict[tuple[str, int], list[BoundServer]] = {}
        for gateway in self.selecting(workload):
            for server in gateway.spec.servers:
                bound = BoundServer(gateway, server)
                others = found.setdefault((server.bind, server.port.number), [])
                if not others or others[0].family is bound.family:
                    others.append(bound)
        taken: dict[tuple[str, int], GatewayPort] = {}
        for (bind, number), servers in found.items():
            listens = targets.get(number, number)
            port = GatewayPort(bind=bind, number=number, listens=listens, servers=tuple(servers))
            taken.setdefault((bind or workload.address, listens), port)
        return tuple(taken.values())

    def routes(self, bound: BoundServer, client: str) -> Iterator[BoundRoutes]:
        """The VirtualServices at a server of a gateway in that namespace, in the order that decides."""
        for document in self._virtual_services.get(bound.gateway, ()):
            namespace = document.metadata.namespace
            if is_exported(document.spec.export_to, namespace, client):
                served = bound.hosts_for(namespace)
                wanted = [qualify_host(host, namespace) for host in document.spec.hosts]
                both = [common_host(one, other) for one in wanted for other in served]
                if hosts := tuple(dict.fromkeys(host for host in both if host)):
                    yield BoundRoutes(document, hosts)


def _by_gateway(
    documents: Sequence[VirtualService], gateways: Sequence[Gateway]
) -> Mapping[str, Sequence[VirtualService]]:
    return {
        gateway.full_name: [
            each
            for each in documents
            if is_bound(each.spec.gateways, each.metadata.namespace, gateway.full_name)
        ]
        for gateway in gateways
    }


def _find_targets(services: Iterable[MeshService]) -> Mapping[int, int]:
    """Where the ports of services lead on the gateway's machine; of several the first counts, as in Istio."""
    targets: dict[int, int] = {}
    for service in services:
        for port in service.ports:
            if isinstance(port.target, int):
                targets.setdefault(port.number, port.target)
    return targets
