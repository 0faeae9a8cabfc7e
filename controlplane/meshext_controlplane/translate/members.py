"""Who stands behind a service: the workloads that its selector takes, found by their rarest label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from meshext_controlplane.model.workload import Workload, WorkloadPort
from meshext_controlplane.translate.services import MeshPort, MeshService

_Label = tuple[str, str, str]  # namespace, key, value


@dataclass(frozen=True, slots=True)
class Members:
    """All registered workloads, by namespace and label."""

    by_label: Mapping[_Label, tuple[Workload, ...]]

    def of(self, service: MeshService) -> tuple[Workload, ...]:
        """The workloads of a service, in the order in which the mesh has them."""
        if not service.selector:
            return ()
        candidates = [
            self.by_label.get((service.namespace, key, value), ()) for key, value in service.selector.items()
        ]
        rarest = min(candidates, key=len)
        return tuple(each for each in rarest if is_selected(each.labels, service.selector))


def index_members(workloads: Iterable[Workload]) -> Members:
    """The index of these workloads."""
    found: dict[_Label, list[Workload]] = {}
    for workload in workloads:
        for key, value in workload.labels.items():
            found.setdefault((workload.namespace, key, value), []).append(workload)
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
