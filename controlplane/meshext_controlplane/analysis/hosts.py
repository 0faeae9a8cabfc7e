"""What a mesh's documents call by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from meshext_controlplane.analysis.subjects import is_http
from meshext_controlplane.model.hosts import covers, host_of
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.service import Service
from meshext_controlplane.model.service_entry import ServiceEntry

HTTP_PROTOCOLS = frozenset({"HTTP", "HTTP2", "GRPC"})


@dataclass(frozen=True, slots=True)
class Hosts:
    """What the mesh's documents call by name: ports by host, each with whether HTTP's rules hold there."""

    ports: Mapping[str, Mapping[int, bool]]
    wild: tuple[str, ...]

    def serves(self, host: str, port: int) -> bool:
        """Whether a host of exactly that name has the port."""
        return port in self.ports.get(host, {})

    def find(self, host: str) -> Mapping[int, bool] | None:
        """The ports of a host; None where nobody has it."""
        if host in self.ports:
            return self.ports[host]
        return next((self.ports[each] for each in self.wild if covers(each, host)), None)


def find_hosts(mesh: Mesh) -> Hosts:
    """All hosts of Services and ServiceEntries; of several with one name the first."""
    ports: dict[str, dict[int, bool]] = {}
    for service in mesh.of(Service):
        host = host_of(service.metadata.name, service.metadata.namespace)
        ports.setdefault(host, {each.port: is_http(each) for each in service.spec.ports})
    for entry in mesh.of(ServiceEntry):
        for host in entry.spec.hosts:
            ports.setdefault(
                host, {each.number: each.protocol in HTTP_PROTOCOLS for each in entry.spec.ports}
            )
    return Hosts(ports, tuple(host for host in ports if "*" in host))
