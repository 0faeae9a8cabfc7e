"""The endpoints behind every service, and who they are: documents' endpoints and registered workloads.

A change of one workload concerns only the services that it belongs to; everything else is taken over.
"""

from __future__ import annotations

from collections.abc import Iterator
from weakref import WeakKeyDictionary

from meshext_controlplane.model.workload import Locality, Workload, serves_itself
from meshext_controlplane.model.workload_entry import TLS_LABEL, UNIX, WorkloadEntrySpec
from meshext_controlplane.translate.catalog import Catalog
from meshext_controlplane.translate.endpoints import Endpoint
from meshext_controlplane.translate.members import Member, index_members
from meshext_controlplane.translate.messages import is_ip
from meshext_controlplane.translate.peer_authentication import MtlsMode
from meshext_controlplane.translate.policies import Policies
from meshext_controlplane.translate.services import MeshPort, MeshService, Resolution

_TAKES_TLS = ("istio", "meshext")


class Membership:
    """Who is behind which service. `previous` is that of the same catalog, if there was one."""

    def __init__(
        self,
        catalog: Catalog,
        workloads: tuple[Workload, ...],
        policies: Policies,
        previous: Membership | None = None,
    ) -> None:
        self._trust_domain = catalog.config.trust_domain
        self._policies = policies
        self._workloads = workloads
        self._index = index_members(workloads, catalog.entries)
        self._endpoints: dict[tuple[MeshService, MeshPort], tuple[Endpoint, ...]] = {}
        self._identities: dict[MeshService, frozenset[str]] = {}
        self._catalog = catalog
        self._changed: WeakKeyDictionary[Membership, frozenset[MeshService]] = WeakKeyDictionary()
        if previous is not None:
            changed = self.changed_since(previous)
            self._endpoints = {
                key: each for key, each in previous._endpoints.items() if key[0] not in changed
            }
            self._identities = {key: each for key, each in previous._identities.items() if key not in changed}

    def changed_since(self, other: Membership) -> frozenset[MeshService]:
        """The services with other workloads than in a membership of the same catalog."""
        if (changed := self._changed.get(other)) is None:
            changed = self._changed[other] = _find_changed(self._catalog, other._workloads, self._workloads)
        return changed

    def endpoints(self, service: MeshService, port: MeshPort) -> tuple[Endpoint, ...]:
        """Every endpoint of a service's port."""
        key = (service, port)
        if (found := self._endpoints.get(key)) is None:
            found = self._endpoints[key] = tuple(self._find_endpoints(service, port))
        return found

    def identities(self, service: MeshService) -> frozenset[str]:
        """The SPIFFE identities that the sidecars behind a service prove; none if one is not known."""
        if (found := self._identities.get(service)) is None:
            found = self._identities[service] = self._find_identities(service)
        return found

    def _find_endpoints(self, service: MeshService, port: MeshPort) -> Iterator[Endpoint]:
        for member in self._index.of(service):
            if isinstance(member, Workload):
                if target := self._catalog.find_port(member, port):
                    yield self._from_workload(member, target)
            elif service.resolution is not Resolution.ENDPOINTS or _has_address(member.spec):
                yield from_entry_spec(member.spec, port)
        for spec in service.endpoints:
            yield from_entry_spec(spec, port)

    def _from_workload(self, workload: Workload, port: int) -> Endpoint:
        return Endpoint(
            host=workload.address,
            port=port,
            mesh_tls=self._policies.mtls_mode(workload, port) is not MtlsMode.DISABLE,
            grpc=any(each.number == port and serves_itself(workload, each) for each in workload.ports),
            state=workload.state,
            locality=workload.locality,
            weight=workload.weight,
            labels=workload.labels,
        )

    def _find_identities(self, service: MeshService) -> frozenset[str]:
        found = {self._identity(member) for member in self._index.of(service)}
        found |= {self._identity_of(spec, service.namespace) for spec in service.endpoints}
        return frozenset() if None in found else frozenset(each for each in found if each)

    def _identity(self, member: Member) -> str | None:
        if isinstance(member, Workload):
            return str(member.identity)
        return self._identity_of(member.spec, member.metadata.namespace)

    def _identity_of(self, spec: WorkloadEntrySpec, namespace: str) -> str | None:
        """None where the endpoint takes mTLS and does not say who it is, "" where it takes none."""
        if not takes_tls(spec):
            return ""
        if not spec.service_account:
            return None
        return f"spiffe://{self._trust_domain}/ns/{namespace}/sa/{spec.service_account}"


def takes_tls(spec: WorkloadEntrySpec) -> bool:
    """Whether a document says that a sidecar is before an endpoint."""
    return spec.labels.get(TLS_LABEL) in _TAKES_TLS


def from_entry_spec(spec: WorkloadEntrySpec, port: MeshPort) -> Endpoint:
    """The endpoint of a document for a service's port."""
    unix = spec.address.startswith(UNIX)
    number = spec.ports.get(port.name) or (port.target if isinstance(port.target, int) else port.number)
    return Endpoint(
        host=spec.address.removeprefix(UNIX),
        port=0 if unix else number,
        mesh_tls=takes_tls(spec),
        locality=parse_locality(spec.locality),
        weight=spec.weight,
        labels=spec.labels,
    )


def parse_locality(text: str) -> Locality:
    """The locality of `region/zone/subzone`."""
    region, zone, sub_zone, *_ = [*text.split("/"), "", ""]
    return Locality(region, zone, sub_zone)


def _has_address(spec: WorkloadEntrySpec) -> bool:
    return spec.address.startswith(UNIX) or is_ip(spec.address)


def _find_changed(
    catalog: Catalog, before: tuple[Workload, ...], after: tuple[Workload, ...]
) -> frozenset[MeshService]:
    """The services that gained, lost or got back changed a workload."""
    old = {(each.namespace, each.name): each for each in before}
    new = {(each.namespace, each.name): each for each in after}
    different = [
        workload
        for key in {**old, **new}
        for workload in (old.get(key), new.get(key))
        if workload is not None and old.get(key) is not new.get(key) and old.get(key) != new.get(key)
    ]
    return frozenset(service for workload in different for service in catalog.services_of(workload))
