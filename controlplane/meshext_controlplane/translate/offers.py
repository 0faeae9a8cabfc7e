"""Which services a client has a cluster for: what other documents refer to has to be among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from meshext_controlplane.model.exporting import is_exported
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.translate.catalog import make_services


@dataclass(frozen=True, slots=True)
class Offer:
    """A service: the ports that it has, and who sees it."""

    namespace: str
    export_to: tuple[str, ...]
    ports: frozenset[int]


@dataclass(frozen=True, slots=True)
class Offers:
    """All services of a mesh by host, in the order that decides. Equal ones serve the same."""

    by_host: Mapping[str, tuple[Offer, ...]]

    def serves(self, host: str, port: int, client: str) -> bool:
        """Whether clients of a namespace have a cluster for a host's port."""
        for offer in self.by_host.get(host, ()):
            if is_exported(offer.export_to, offer.namespace, client):
                return port in offer.ports
        return False


def find_offers(mesh: Mesh) -> Offers:
    """What the mesh's services offer."""
    by_host: dict[str, tuple[Offer, ...]] = {}
    for _, services in make_services(mesh, {}).values():
        for service in services:
            ports = frozenset(port.number for port in service.ports)
            offer = Offer(service.namespace, service.export_to, ports)
            by_host[service.host] = (*by_host.get(service.host, ()), offer)
    return Offers(by_host)
