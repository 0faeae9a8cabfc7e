"""The mesh that is served now: put together from what is written and who is there, translated when asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from meshext.plan import Plan
from meshext_controlplane.model.base import MeshDocument
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.mesh_config import MeshConfigSpec
from meshext_controlplane.model.proxy import Proxy
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.server.holding import Holding
from meshext_controlplane.server.lingering import Lingering
from meshext_controlplane.server.registry import Key, to_key
from meshext_controlplane.snapshot import Snapshot
from meshext_controlplane.translate.filter_policy import FilterService

Documents = Mapping[str, tuple[MeshDocument, ...]]
Plans = Mapping[tuple[str, str, str], Plan]


class Translation(Protocol):
    """What `meshext_controlplane.translate.translator.Translator` is to us."""

    def snapshot(self, proxy: Proxy) -> Snapshot:
        """Everything that the proxy shall have."""

    def services_of(self, workload: Workload) -> tuple[FilterService, ...]:
        """The filters that the workload's sidecar has to run."""


Translate = Callable[[Mesh, Translation | None], Translation]
"""A translation of a mesh; takes over what it can of the one before."""


class Serving:
    """Holds the newest mesh. Edits are cheap: a translation is made when the next snapshot is asked for."""

    def __init__(self, translate: Translate, lingering: Lingering) -> None:
        self._translate = translate
        self._lingering = lingering
        self.holding = Holding()
        self._mesh = Mesh()
        self._workloads: dict[Key, Workload] = {}
        self._translated: tuple[Mesh, Translation] | None = None

    @property
    def mesh(self) -> Mesh:
        """The newest mesh."""
        return self._mesh

    def configure(self, config: MeshConfigSpec, documents: Documents, plans: Plans) -> None:
        """What is written has changed."""
        self._mesh = replace(self._mesh, config=config, documents=documents, plans=plans)

    def ban(self, identities: tuple[str, ...]) -> None:
        """Who is banned has changed."""
        self._mesh = replace(self._mesh, banned=identities)

    def populate(self, workloads: tuple[Workload, ...]) -> None:
        """Who is there has changed."""
        self._workloads = {to_key(each): each for each in workloads}
        self.holding.retain(self._workloads)
        self._mesh = replace(self._mesh, workloads=workloads)

    def snapshot_of(self, proxy: Proxy) -> Snapshot:
        """What a proxy shall have now, its workload as it has registered last."""
        snapshot = self.translation().snapshot(self._renewed(proxy))
        return self._lingering.hold(proxy.node_id, snapshot)

    def translation(self) -> Translation:
        """That of the newest mesh."""
        if self._translated is None or self._translated[0] is not self._mesh:
            before = self._translated[1] if self._translated else None
            self._translated = (self._mesh, self._translate(self._mesh, before))
        return self._translated[1]

    def filters_of(self, workload: Workload) -> tuple[FilterService, ...]:
        """The filters that a workload's sidecar has to run."""
        return self.translation().services_of(workload)

    def held_of(self, workload: Workload) -> frozenset[str]:
        """Those of them that its Envoy is not to ask yet, by name."""
        return self.holding.of(workload, self.filters_of(workload))

    def missing_at(self, node_id: str) -> list[tuple[FilterService, bool]]:
        """The filters beside a proxy that do not serve, and whether they are held."""
        name, _, namespace = node_id.rpartition(".")
        workload = self._workloads.get((namespace, name))
        if workload is None or workload.serving is None:
            return []
        held, serving = self.held_of(workload), workload.serving
        return [(each, each.name in held) for each in self.filters_of(workload) if each.name not in serving]

    def preview(self, mesh: Mesh) -> Translation:
        """That of a mesh which is not served, for `--dry-run`."""
        return self._translate(mesh, self.translation())

    def _renewed(self, proxy: Proxy) -> Proxy:
        mine = self._workloads.get(to_key(proxy.workload), proxy.workload)
        if held := self.held_of(mine):
            mine = replace(mine, held=held)
        return proxy if mine is proxy.workload else replace(proxy, workload=mine)
