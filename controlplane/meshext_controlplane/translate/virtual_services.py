"""Which VirtualService decides about a host, as one client sees it.

A client sees the private ones of its own namespace, then those exported to it by name, then the public ones;
of those that name a host the first is the one, and an exact name is stronger than any wildcard.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from meshext_controlplane.model.exporting import is_exported
from meshext_controlplane.model.gateway_names import MESH, is_bound
from meshext_controlplane.model.hosts import qualify_host
from meshext_controlplane.model.http_route import Destination
from meshext_controlplane.model.virtual_service import VirtualService


@dataclass(frozen=True, slots=True)
class Visible:
    """The VirtualServices that a client sees, by host; wildcards stand with their `*.`."""

    by_host: Mapping[str, VirtualService] = field(default_factory=dict)

    def find(self, host: str) -> VirtualService | None:
        """The one that decides about a host."""
        if exact := self.by_host.get(host):
            return exact
        rest = host.removeprefix("*.") if host.startswith("*.") else host
        while "." in rest:
            rest = rest.partition(".")[2]
            if wild := self.by_host.get(f"*.{rest}"):
                return wild
        return None


def see_virtual_services(documents: Iterable[VirtualService], client: str) -> Visible:
    """What a client of that namespace sees. Those for gateways alone are none of it."""
    by_host: dict[str, VirtualService] = {}
    for document in sorted(documents, key=lambda each: _rank(each, client)):
        namespace = document.metadata.namespace
        if not is_bound(document.spec.gateways, namespace, MESH):
            continue
        if is_exported(document.spec.export_to, namespace, client):
            for host in document.spec.hosts:
                by_host.setdefault(qualify_host(host, namespace), document)
    return Visible(by_host)


def list_destinations(document: VirtualService) -> Iterator[Destination]:
    """Everything that a document may lead to, copies too."""
    for rule in document.spec.http:
        yield from (each.destination for each in rule.route)
        yield from (each.destination for each in rule.mirrors)
        if rule.mirror is not None:
            yield rule.mirror
    for tls in document.spec.tls:
        yield from (each.destination for each in tls.route)
    for tcp in document.spec.tcp:
        yield from (each.destination for each in tcp.route)


def _rank(document: VirtualService, client: str) -> int:
    exported = document.spec.export_to
    if exported == (".",) and document.metadata.namespace == client:
        return 0
    return 1 if client in exported else 2
