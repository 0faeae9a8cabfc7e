"""Whom documents are about, as far as documents tell: Services and workloads, and their labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.service import Service, ServicePort
from meshext_controlplane.model.workload_document import WorkloadDocument
from meshext_controlplane.model.workload_entry import WorkloadEntry

HTTP = frozenset("http http2 grpc kubernetes.io/ws kubernetes.io/h2c".split())
SPEAKS = HTTP | frozenset("https tls tcp mongo redis mysql kubernetes.io/wss".split())


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that policies select: the labels that are known of it, and its ports by Service.

    A Service's workloads may have more labels than its selector says; a registered workload has just its own.
    """

    namespace: str
    labels: Mapping[str, str]
    name: str
    ports: tuple[ServicePort, ...] = ()
    whole: bool = field(default=False)

    def may_have(self, labels: Mapping[str, str]) -> bool:
        """Whether a selector with these labels may mean it."""
        if self.whole:
            return labels.items() <= dict(self.labels).items()
        return all(self.labels.get(name, value) == value for name, value in labels.items())


def find_subjects(mesh: Mesh) -> list[Subject]:
    """Everything that may be selected."""
    services = [
        Subject(each.metadata.namespace, each.spec.selector, f"Service {each.metadata.name}", each.spec.ports)
        for each in mesh.of(Service)
        if each.spec.selector
    ]
    workloads = [
        Subject(each.namespace, each.labels, f"workload {each.name}", (), True) for each in mesh.workloads
    ]
    entries = [
        Subject(each.metadata.namespace, each.spec.labels, f"WorkloadEntry {each.metadata.name}", (), True)
        for each in mesh.of(WorkloadEntry)
    ]
    programs = [
        Subject(each.metadata.namespace, each.metadata.labels, f"Workload {each.metadata.name}", (), True)
        for each in mesh.of(WorkloadDocument)
    ]
    return [*services, *workloads, *entries, *programs]


def select_subjects(
    mesh: Mesh, subjects: list[Subject], namespace: str, labels: Mapping[str, str]
) -> Iterator[Subject]:
    """Those that a document of the namespace with these labels may mean."""
    everywhere = namespace == mesh.config.root_namespace
    for subject in subjects:
        if (everywhere or subject.namespace == namespace) and subject.may_have(labels):
            yield subject


def protocol_of(port: ServicePort) -> str:
    """What a port says that it speaks, "" where it says nothing."""
    for word in (port.app_protocol, port.name, port.name.partition("-")[0]):
        if word.lower() in SPEAKS:
            return word.lower()
    return ""


def is_http(port: ServicePort) -> bool:
    """Whether HTTP's rules hold there."""
    return protocol_of(port) in HTTP
