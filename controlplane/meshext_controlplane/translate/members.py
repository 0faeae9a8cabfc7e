"""Who stands behind a service: what its selector takes, found by the rarest label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from meshext_controlplane.model.workload import Workload, WorkloadPort
from meshext_controlplane.model.workload_entry import WorkloadEntry
from meshext_controlplane.translate.services import MeshPort, MeshService

Member: TypeAlias = Workload | WorkloadEntry
"""A registered workload, or one that a document tells of."""

_Label = tuple[str, str, str]  # namespace, key, value


@dataclass(frozen=True, slots=True)
class Members:
    """Everything that a selector may take, by namespace and label."""

    by_label: Mapping[_Label, tuple[Member, ...]]

    def of(self, service: MeshService) -> tuple[Member, ...]:
        """The members of a service, in the order in which the mesh has them."""
        if not service.selector:
            return ()
        candidates = [
            self.by_label.get((service.namespace, key, value), ()) for key, value in service.selector.items()
        ]
        rarest = min(candidates, key=len)
        return tuple(each for each in rarest if is_selected(labels_of(each), service.selector))


def labels_of(member: Member) -> Mapping[str, str]:
    """The labels of a member."""
    return member.labels if isinstance(member, Workload) else member.spec.labels


def index_members(workloads: Iterable[Workload], entries: Iterable[WorkloadEntry]) -> Members:
    """The index of all of them."""
    found: dict[_Label, list[Member]] = {}
    for workload in workloads:
        for key, value in workload.labels.items():
            found.setdefault((workload.namespace, key, value), []).append(workload)
    for entry in entries:
        for key, value in entry.spec.labels.items():
            found.setdefault((entry.metadata.namespace, key, value), []).append(entry)
    return Members({label: tuple(each) for label, each in found.items()})


def is_selected(labels: Mapping[str, str], selector: Mapping[str, str]) -> bool:
    """Whether the labels have all that the selector asks for."""
    return all(labels.get(key) == value for key, value in selector.items())


def find_port(workload: Workload, port: MeshPort) -> WorkloadPort | None:
    """The workload's port that a service's port leads to."""
    for each in workload.ports:
        if port.target in (each.number, each.name):
            return each
    return None
