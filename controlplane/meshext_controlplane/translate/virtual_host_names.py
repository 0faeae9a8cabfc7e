"""What a client may write as the authority to mean a service's port."""

from __future__ import annotations

from meshext_controlplane.model.virtual_service import VirtualService
from meshext_controlplane.translate.names import short_names
from meshext_controlplane.translate.services import MeshPort, MeshService

HTTP_PORT = 80


def list_domains(service: MeshService, port: MeshPort, namespace: str) -> list[str]:
    """Names with the port; of HTTP also without, if it is 80 or the only one that speaks HTTP."""
    names = [*short_names(service.host, namespace), *map(_bracket, service.addresses)]
    domains = [f"{name}:{port.number}" for name in names]
    http = [each.number for each in service.ports if each.protocol.is_http]
    bare = HTTP_PORT if HTTP_PORT in http else http[0] if len(http) == 1 else 0
    return domains + names if port.number == bare else domains


def list_lonely_ports(document: VirtualService) -> list[int]:
    """The ports of a host without a service: 80, and those that matches ask for."""
    asked = {match.port for rule in document.spec.http for match in rule.match if match.port is not None}
    return sorted({HTTP_PORT, *asked})


def _bracket(address: str) -> str:
    return f"[{address}]" if ":" in address else address
