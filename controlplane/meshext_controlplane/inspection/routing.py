"""Documents of traffic that concern a service of a workload, found as the translation finds them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from meshext_controlplane.inspection.description import DescribedRoutes, DescribedRule, Leg
from meshext_controlplane.model.destination_rule import DestinationRule
from meshext_controlplane.model.gateway_names import MESH, is_bound, qualify_gateway
from meshext_controlplane.model.hosts import covers, qualify_host
from meshext_controlplane.model.http_route import Destination
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.virtual_service import TcpRoute, TlsRoute, VirtualService
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.translate.catalog import Catalog
from meshext_controlplane.translate.horizons import Horizon
from meshext_controlplane.translate.members import is_selected
from meshext_controlplane.translate.outlook import Outlook
from meshext_controlplane.translate.services import MeshService

_NAMED = 3  # workloads that are told by name


class Routing:
    """The traffic documents of a mesh.

    Callers are gateways, and namespaces with workloads: all of these, or those that a `Sidecar` lets see.
    """

    def __init__(self, mesh: Mesh, catalog: Catalog) -> None:
        self._mesh = mesh
        self._catalog = catalog
        self._callers: dict[str, dict[Horizon, list[str]]] = {}
        for each in sorted(mesh.workloads, key=lambda workload: (workload.namespace, workload.name)):
            horizons = self._callers.setdefault(each.namespace, {})
            horizons.setdefault(catalog.horizons.of(each), []).append(each.name)
        self._outlooks: dict[tuple[str, Horizon], Outlook] = {}

    def routes(self, service: MeshService, workload: Workload) -> Iterator[DescribedRoutes]:
        """The VirtualServices that name the service's host or lead there."""
        for document in self._catalog.virtual_service_documents:
            hosts = [qualify_host(host, document.metadata.namespace) for host in document.spec.hosts]
            meant = is_bound(document.spec.gateways, document.metadata.namespace, MESH)
            told = meant and any(covers(host, service.host) for host in hosts)
            legs = tuple(self._legs(document, service, workload))
            if told or legs:
                yield DescribedRoutes(
                    document=full_name(document),
                    host=service.host,
                    callers=tuple(self._deciding(document, [service.host] if told else hosts)),
                    legs=legs,
                )

    def rules(self, service: MeshService, workload: Workload) -> Iterator[DescribedRule]:
        """The DestinationRules for the service's host."""
        for document in self._mesh.of(DestinationRule):
            if not covers(qualify_host(document.spec.host, document.metadata.namespace), service.host):
                continue
            subsets = document.spec.subsets
            here = [each.name for each in subsets if is_selected(workload.labels, each.labels)]
            yield DescribedRule(
                document=full_name(document),
                host=service.host,
                callers=tuple(self._obeying(document, service)),
                subsets=tuple(here),
                other_subsets=tuple(each.name for each in subsets if each.name not in here),
            )

    def _deciding(self, document: VirtualService, hosts: Iterable[str]) -> Iterator[str]:
        """The namespaces for whose calls to one of these hosts the document decides."""
        asked = list(hosts)
        yield from self._seeing(
            lambda outlook: any(outlook.virtual_services.find(host) is document for host in asked)
        )
        for name in document.spec.gateways:
            if name != MESH:
                yield f"gateway {qualify_gateway(name, document.metadata.namespace)}"

    def _obeying(self, document: DestinationRule, service: MeshService) -> Iterator[str]:
        def obeys(outlook: Outlook) -> bool:
            place = (service.host, service.namespace, outlook.scope)
            found = self._catalog.rules.documents(*place, outlook.horizon.selected)
            return service.host in outlook.services and any(each is document for each in found)

        yield from self._seeing(obeys)

    def _seeing(self, sees: Callable[[Outlook], bool]) -> Iterator[str]:
        """The namespaces for which that holds; where it does for some of the workloads, these as well."""
        for caller, horizons in self._callers.items():
            scope = self._catalog.scope_of(caller)
            names = [names for horizon, names in horizons.items() if sees(self._outlook(scope, horizon))]
            if len(names) == len(horizons):
                yield caller
            elif names:
                yield f"{caller} ({_tell_some(sorted(chain(*names)), sum(map(len, horizons.values())))})"

    def _outlook(self, scope: str, horizon: Horizon) -> Outlook:
        if (outlook := self._outlooks.get((scope, horizon))) is None:
            outlook = self._outlooks[scope, horizon] = Outlook(self._catalog, scope, horizon)
        return outlook

    def _legs(self, document: VirtualService, service: MeshService, workload: Workload) -> Iterator[Leg]:
        for route, destination, share in list_destinations(document):
            if qualify_host(destination.host, document.metadata.namespace) == service.host:
                here = not destination.subset or self._is_in(destination.subset, service, workload)
                yield Leg(route=route, subset=destination.subset, share=share, here=here)

    def _is_in(self, name: str, service: MeshService, workload: Workload) -> bool:
        """Whether some caller's subset of that name has the workload."""
        for caller, horizons in self._callers.items():
            place = (service.host, service.namespace, self._catalog.scope_of(caller))
            for horizon in horizons:
                subset = self._catalog.rules.find(*place, horizon.selected).subsets.get(name)
                if subset is not None and is_selected(workload.labels, subset.labels):
                    return True
        return False


def list_destinations(document: VirtualService) -> Iterator[tuple[str, Destination, str]]:
    """Where a document leads: the route's name or place, the destination, its share."""
    for number, route in enumerate(document.spec.http):
        name = route.name or f"http[{number}]"
        alone = len(route.route) == 1
        for each in route.route:
            yield name, each.destination, "all" if alone else str(each.weight)
        for copied in (route.mirror, *(each.destination for each in route.mirrors)):
            if copied is not None:
                yield name, copied, "mirror"
    connections: tuple[tuple[str, Sequence[TlsRoute | TcpRoute]], ...] = (
        ("tls", document.spec.tls),
        ("tcp", document.spec.tcp),
    )
    for protocol, routes in connections:
        for number, l4 in enumerate(routes):
            for share in l4.route:
                told = "all" if len(l4.route) == 1 else str(share.weight)
                yield f"{protocol}[{number}]", share.destination, told


def _tell_some(names: Sequence[str], of: int) -> str:
    return ", ".join(names) if len(names) <= _NAMED else f"{len(names)} of {of} workloads"


def full_name(document: VirtualService | DestinationRule) -> str:
    """`namespace/name`."""
    return f"{document.metadata.namespace}/{document.metadata.name}"
