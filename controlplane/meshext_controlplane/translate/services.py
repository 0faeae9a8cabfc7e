"""Services as the translation sees them, whatever kind of document they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from meshext_controlplane.model.base import MeshDocument
from meshext_controlplane.model.service import Service
from meshext_controlplane.translate.names import qualify
from meshext_controlplane.translate.protocols import Protocol, find_protocol


class Resolution(Enum):
    """How Envoy finds the endpoints of a service."""

    ENDPOINTS = "EDS"
    DNS = "STRICT_DNS"


@dataclass(frozen=True, slots=True)
class MeshPort:
    """A port of a service; `target` is the workload's: a number or a name.

    `told` is False where nothing says what it speaks, and TCP is assumed.
    """

    number: int
    name: str
    protocol: Protocol
    target: int | str
    told: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeshService:
    """A service under one host name. Compared by identity, as it lives as long as its document.

    `selector` is empty where no registered workload belongs to it.
    """

    host: str
    namespace: str
    ports: tuple[MeshPort, ...]
    resolution: Resolution = Resolution.ENDPOINTS
    selector: Mapping[str, str] = field(default_factory=dict)
    dns_name: str = ""
    source: MeshDocument | None = None

    def port(self, number: int) -> MeshPort | None:
        """The port of that number."""
        return next((port for port in self.ports if port.number == number), None)


def from_service(document: Service) -> MeshService:
    """The service of a Kubernetes `Service`. A port that does not say what it speaks is TCP."""
    spec, namespace = document.spec, document.metadata.namespace
    told = {port.port: find_protocol(port.app_protocol, port.name) for port in spec.ports}
    ports = tuple(
        MeshPort(
            port.port,
            port.name,
            told[port.port] or Protocol.TCP,
            port.target_port or port.port,
            told[port.port] is not None,
        )
        for port in spec.ports
    )
    external = spec.type == "ExternalName"
    return MeshService(
        host=qualify(document.metadata.name, namespace),
        namespace=namespace,
        ports=ports,
        resolution=Resolution.DNS if external else Resolution.ENDPOINTS,
        selector=spec.selector,
        dns_name=spec.external_name,
        source=document,
    )
