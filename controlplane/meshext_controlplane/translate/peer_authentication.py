"""What a workload's port takes from peers: mTLS, plain text, or both (Istio's rules of scope).

The narrowest scope wins: a port, the workload, its namespace, the mesh; of several documents in one scope the
first. UNSET, and a scope without a document, take what the next wider one says; in the end PERMISSIVE.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum

from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.peer_authentication import PeerAuthentication
from meshext_controlplane.model.workload import Workload


class MtlsMode(Enum):
    """Istio's `PeerAuthentication` modes."""

    STRICT = "STRICT"
    PERMISSIVE = "PERMISSIVE"
    DISABLE = "DISABLE"


UNSET = "UNSET"


class MtlsModes:
    """The modes of all ports of a mesh."""

    def __init__(self, mesh: Mesh) -> None:
        self._root = mesh.config.root_namespace
        self._by_namespace: dict[str, list[PeerAuthentication]] = {}
        for document in mesh.of(PeerAuthentication):
            self._by_namespace.setdefault(document.metadata.namespace, []).append(document)

    def of(self, workload: Workload, port: int) -> MtlsMode:
        """The mode of a workload's port."""
        return self.decide(workload, port)[0]

    def decide(self, workload: Workload, port: int) -> tuple[MtlsMode, PeerAuthentication | None]:
        """The mode, and the document that says so; None where none does."""
        mode, document = next(self._said(workload, port), (MtlsMode.PERMISSIVE.value, None))
        return MtlsMode(mode), document

    def named_ports(self, workload: Workload) -> tuple[int, ...]:
        """The ports that documents speak of by number, in order; the workload may not have told of them."""
        selecting = first(self._by_namespace.get(workload.namespace, ()), workload)
        levels = (selecting.spec.port_level_mtls if selecting else None) or {}
        return tuple(sorted(map(int, levels)))

    def _said(self, workload: Workload, port: int) -> Iterator[tuple[str, PeerAuthentication]]:
        """What documents say about it, the narrowest scope first; UNSET left out."""
        own = self._by_namespace.get(workload.namespace, ())
        selecting = first(own, workload)
        if selecting is not None:
            at_port = (selecting.spec.port_level_mtls or {}).get(str(port))
            if at_port is not None and at_port.mode != UNSET:
                yield at_port.mode, selecting
        for document in (selecting, first(own, None), first(self._by_namespace.get(self._root, ()), None)):
            if document is not None and document.spec.mtls.mode != UNSET:
                yield document.spec.mtls.mode, document


def first(documents: Sequence[PeerAuthentication], workload: Workload | None) -> PeerAuthentication | None:
    """The first that selects the workload by labels; for None the first without labels."""
    for document in documents:
        labels = document.spec.selector.match_labels if document.spec.selector else {}
        if workload is None and not labels:
            return document
        if workload is not None and labels and labels.items() <= dict(workload.labels).items():
            return document
    return None


def mtls_mode(mesh: Mesh, workload: Workload, port: int) -> MtlsMode:
    """The mode of one port; who asks for many keeps a `MtlsModes`."""
    return MtlsModes(mesh).of(workload, port)
