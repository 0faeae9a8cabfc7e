"""How far a sidecar sees: what the `Sidecar` document for its workload lets it call, and which
`DestinationRule`s are for it because they select it.

Services that policies and providers ask are served all the same, so that leaving one out never opens or
closes a door; the application just has no route to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from meshext_controlplane.model.filter_policy import FilterPolicy
from meshext_controlplane.model.hosts import covers
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.request_authentication import RequestAuthentication
from meshext_controlplane.model.sidecar import NOBODY, Sidecar
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.translate.members import is_selected
from meshext_controlplane.translate.rules import NONE, Rules, Selected


@dataclass(frozen=True, slots=True)
class Horizon:
    """Namespaces and hosts that are seen, both may be `*`.

    `mode` is that of outboundTrafficPolicy, "" for the mesh's. `selected` are the DestinationRules that
    select the workload.
    """

    hosts: tuple[tuple[str, str], ...] = (("*", "*"),)
    mode: str = ""
    selected: Selected = NONE

    def sees(self, host: str, namespace: str) -> bool:
        """Whether it sees a service, or a VirtualService's host, of that namespace."""
        return any(own in ("*", namespace) and covers(wanted, host) for own, wanted in self.hosts)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is hidden."""
        return ("*", "*") in self.hosts


EVERYTHING = Horizon()


class Horizons:
    """The Sidecar documents of a mesh, and what is needed whatever they say."""

    def __init__(self, mesh: Mesh, rules: Rules) -> None:
        self._rules = rules
        self._documents: Sequence[Sidecar] = mesh.of(Sidecar)
        self._root = mesh.config.root_namespace
        self.needed = frozenset(_find_needed(mesh)) if self._documents else frozenset[str]()

    def document_of(self, workload: Workload) -> Sidecar | None:
        """The one that counts: one that selects the workload, its namespace's, the root namespace's."""
        own = [each for each in self._documents if each.metadata.namespace == workload.namespace]
        selecting = (each for each in own if _selects(each, workload))
        wide = (each for each in own if each.spec.workload_selector is None)
        root = (
            each
            for each in self._documents
            if each.metadata.namespace == self._root and each.spec.workload_selector is None
        )
        return next(selecting, None) or next(wide, None) or next(root, None)

    def of(self, workload: Workload) -> Horizon:
        """How far the workload's sidecar sees; a gateway sees everything."""
        selected = self._rules.selecting(workload.namespace, workload.labels)
        document = None if workload.gateway else self.document_of(workload)
        if document is None:
            return Horizon(selected=selected) if selected else EVERYTHING
        policy = document.spec.outbound_traffic_policy
        mode = policy.mode if policy is not None else ""
        if not document.spec.egress:
            return Horizon(mode=mode, selected=selected)
        hosts = (host.partition("/") for egress in document.spec.egress for host in egress.hosts)
        seen = [(workload.namespace if own == "." else own, host) for own, _, host in hosts if own != NOBODY]
        return Horizon(tuple(dict.fromkeys(seen)), mode, selected)


def _selects(document: Sidecar, workload: Workload) -> bool:
    selector = document.spec.workload_selector
    return selector is not None and is_selected(workload.labels, selector.labels)


def _find_needed(mesh: Mesh) -> Iterator[str]:
    """Hosts of services that documents ask by themselves."""
    for provider in mesh.config.extension_providers:
        if provider.service is not None:
            yield provider.service[0]
    for policy in mesh.of(FilterPolicy):
        if policy.spec.service is not None:
            yield policy.spec.service.host.rpartition("/")[2]
    for document in mesh.of(RequestAuthentication):
        for rule in document.spec.jwt_rules:
            if rule.jwks_uri is not None and (host := urlsplit(rule.jwks_uri).hostname):
                yield host
