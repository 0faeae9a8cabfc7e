"""The whole mesh at one moment: what people have written, and the workloads that have registered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from meshext.plan import Plan
from meshext_controlplane.model.base import MeshDocument
from meshext_controlplane.model.mesh_config import MeshConfigSpec
from meshext_controlplane.model.workload import Workload

D = TypeVar("D", bound=MeshDocument)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mesh:
    """Immutable, and checked: every document in it is valid and its references hold.

    `documents` are by kind, in the order that decides where Istio says "the oldest": a folder's files by
    path, then by place in the file, then what was applied, by time. `workloads` by namespace and name.
    `plans` are what filters that documents name ask of Envoy, by kind, namespace and name of the document
    (`Provider`, "" and its name for one of MeshConfig); one that does not load has none. `banned` are
    identities that nobody answers any more, sorted.
    """

    config: MeshConfigSpec = field(default_factory=MeshConfigSpec)
    documents: Mapping[str, tuple[MeshDocument, ...]] = field(default_factory=lambda: MappingProxyType({}))
    workloads: tuple[Workload, ...] = ()
    plans: Mapping[tuple[str, str, str], Plan] = field(default_factory=lambda: MappingProxyType({}))
    banned: tuple[str, ...] = ()

    def of(self, kind: type[D]) -> tuple[D, ...]:
        """The documents of one class."""
        return tuple(each for each in self.documents.get(kind.KIND, ()) if isinstance(each, kind))
