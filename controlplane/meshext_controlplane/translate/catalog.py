"""What documents say, sorted for the translation: all services, and who may see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.service import Service
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.translate.members import is_selected
from meshext_controlplane.translate.services import MeshService, from_service


@dataclass(frozen=True, slots=True)
class Catalog:
    """Services in the order of their documents. Made of documents only, never of workloads."""

    services: tuple[MeshService, ...]
    by_namespace: Mapping[str, tuple[MeshService, ...]]

    def services_of(self, workload: Workload) -> tuple[MeshService, ...]:
        """The services that a workload belongs to."""
        return tuple(
            service
            for service in self.by_namespace.get(workload.namespace, ())
            if service.selector and is_selected(workload.labels, service.selector)
        )


def build_catalog(mesh: Mesh) -> Catalog:
    """The catalog of a mesh's documents."""
    services = tuple(from_service(document) for document in mesh.of(Service))
    by_namespace: dict[str, list[MeshService]] = {}
    for service in services:
        by_namespace.setdefault(service.namespace, []).append(service)
    return Catalog(services, {name: tuple(each) for name, each in by_namespace.items()})
