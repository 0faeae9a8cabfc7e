"""What documents say, sorted for the translation: services, rules, and who sees which of them.

Most clients see the same. So clients are put into scopes: a namespace of which some document speaks is a
scope of its own, and all others are one, the scope "".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from meshext_controlplane.model.base import MeshDocument
from meshext_controlplane.model.destination_rule import DestinationRule
from meshext_controlplane.model.exporting import is_exported
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.secret import Secret
from meshext_controlplane.model.service import Service
from meshext_controlplane.model.service_entry import ServiceEntry
from meshext_controlplane.model.virtual_service import L4Match, VirtualService
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.model.workload_entry import WorkloadEntry
from meshext_controlplane.translate.delegates import Resolved, resolve_delegates
from meshext_controlplane.translate.gateway_secrets import index_secrets
from meshext_controlplane.translate.gateways import Gateways
from meshext_controlplane.translate.horizons import Horizons
from meshext_controlplane.translate.localities import Client
from meshext_controlplane.translate.members import find_port, is_selected
from meshext_controlplane.translate.rules import Rules
from meshext_controlplane.translate.services import MeshPort, MeshService, from_entry, from_service
from meshext_controlplane.translate.virtual_services import Visible, see_virtual_services

D = TypeVar("D", bound=MeshDocument)
Made = dict[tuple[str, str, str], tuple[MeshDocument, tuple[MeshService, ...]]]


class Catalog:
    """What a mesh's documents say. Never looks at workloads.

    With `previous`, whatever is equal there is taken over as the same object, so that comparing is cheap.
    """

    def __init__(self, mesh: Mesh, previous: Catalog | None = None) -> None:
        self.config = mesh.config
        self.entries = mesh.of(WorkloadEntry)
        self._made: Made = make_services(mesh, previous._made if previous else {})
        self.services = tuple(service for _, services in self._made.values() for service in services)
        self.by_namespace = _group(self.services)
        self.rules = Rules(mesh.of(DestinationRule), mesh.config.root_namespace)
        self.horizons = Horizons(mesh, self.rules)
        self.secrets = index_secrets(mesh.of(Secret))
        known: Resolved = previous._resolved if previous else {}
        self._resolved: Resolved = resolve_delegates(mesh.of(VirtualService), known)
        self.virtual_service_documents = tuple(resolved for _, resolved in self._resolved.values())
        self.gateways = Gateways(mesh, self.virtual_service_documents)
        self._special = self._find_special()
        self._label_keys = _asked_labels(self.virtual_service_documents)
        self._asks_places = self.rules.ask_places
        self._place_keys = self.rules.place_keys
        self._seen: dict[str, tuple[MeshService, ...]] = {}
        self._visible: dict[str, Visible] = {}

    def scope_of(self, namespace: str) -> str:
        """The scope of a client in that namespace."""
        return namespace if namespace in self._special else ""

    def asked_labels(self, labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """Those of a client's labels that some VirtualService asks for."""
        return tuple((key, labels[key]) for key in self._label_keys if key in labels)

    def client(self, workload: Workload) -> Client:
        """What a client's place is, as far as it makes a difference to anybody."""
        if not self._asks_places:
            return Client()
        labels = tuple((key, workload.labels[key]) for key in self._place_keys if key in workload.labels)
        return Client(workload.locality, labels)

    def seen(self, scope: str) -> tuple[MeshService, ...]:
        """The services that clients of a scope see. Of several with one host, the first is the one."""
        if (seen := self._seen.get(scope)) is None:
            hosts: dict[str, MeshService] = {}
            for service in self.services:
                if is_exported(service.export_to, service.namespace, scope):
                    hosts.setdefault(service.host, service)
            seen = self._seen[scope] = tuple(hosts.values())
        return seen

    def virtual_services(self, scope: str) -> Visible:
        """The VirtualServices that clients of a scope see."""
        if (visible := self._visible.get(scope)) is None:
            visible = self._visible[scope] = see_virtual_services(self.virtual_service_documents, scope)
        return visible

    def services_of(self, workload: Workload) -> tuple[MeshService, ...]:
        """The services that a workload belongs to."""
        return tuple(
            service
            for service in self.by_namespace.get(workload.namespace, ())
            if service.selector and is_selected(workload.labels, service.selector)
        )

    def find_port(self, workload: Workload, port: MeshPort) -> int:
        """The number of the workload's port that a service's port leads to; 0 where there is none.

        A gateway has those at which a Gateway says that it listens, and no others, whatever it registers.
        """
        if workload.gateway:
            served = self.gateways.ports(workload, self.services_of(workload))
            return next((each.listens for each in served if each.listens == port.target), 0)
        found = find_port(workload, port)
        return found.number if found is not None else 0

    def _find_special(self) -> frozenset[str]:
        exports = [(each.namespace, each.export_to) for each in self.services]
        for document in self.virtual_service_documents:
            exports.append((document.metadata.namespace, document.spec.export_to))
            exports.append(("", tuple(_asked_namespaces(document))))
        named = {own if name == "." else name for own, names in exports for name in names}
        owners: dict[str, tuple[str, ...]] = {}
        for service in self.services:
            owners[service.host] = (*owners.get(service.host, ()), service.namespace)
        return frozenset({*named, *self.rules.find_special(owners)} - {"*", "~", ""})


def make_services(mesh: Mesh, known: Made) -> Made:
    """The services of all documents, by document; those of equal documents in `known` as they are there."""
    made: Made = {}
    documents: list[Service | ServiceEntry] = [*mesh.of(Service), *mesh.of(ServiceEntry)]
    for document in documents:
        before = known.get(document.key)
        same = before is not None and (before[0] is document or before[0] == document)
        made[document.key] = before if before is not None and same else (document, _make(document))
    return made


def _make(document: Service | ServiceEntry) -> tuple[MeshService, ...]:
    return (from_service(document),) if isinstance(document, Service) else from_entry(document)


def _group(services: Iterable[MeshService]) -> Mapping[str, Sequence[MeshService]]:
    by_namespace: dict[str, list[MeshService]] = {}
    for service in services:
        by_namespace.setdefault(service.namespace, []).append(service)
    return by_namespace


def _l4_matches(document: VirtualService) -> list[L4Match]:
    spec = document.spec
    tls = [match for route in spec.tls for match in route.match]
    return [*tls, *(match for route in spec.tcp for match in route.match)]


def _asked_namespaces(document: VirtualService) -> set[str]:
    http = {match.source_namespace for route in document.spec.http for match in route.match}
    return {each for each in http | {match.source_namespace for match in _l4_matches(document)} if each}


def _asked_labels(documents: Iterable[VirtualService]) -> tuple[str, ...]:
    keys: set[str] = set()
    for document in documents:
        for route in document.spec.http:
            for match in route.match:
                keys.update(match.source_labels)
        for each in _l4_matches(document):
            keys.update(each.source_labels)
    return tuple(sorted(keys))
