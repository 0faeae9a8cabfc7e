"""From a mesh to what each proxy shall have: pure, total, and nothing built twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.proxy import Proxy
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.snapshot import Resource, Snapshot, build_snapshot
from meshext_controlplane.translate.catalog import Catalog, build_catalog
from meshext_controlplane.translate.endpoints import Endpoint, build_assignment
from meshext_controlplane.translate.filter_policy import FilterService
from meshext_controlplane.translate.inbound import (
    InboundPort,
    build_inbound_cluster,
    build_inbound_listener,
    build_inbound_routes,
    inbound_protocol,
)
from meshext_controlplane.translate.members import find_port, index_members
from meshext_controlplane.translate.memo import Memo
from meshext_controlplane.translate.names import (
    BLACK_HOLE,
    OUTBOUND_HTTP,
    name_inbound,
    name_inbound_cluster,
    name_outbound,
)
from meshext_controlplane.translate.outbound import build_outbound_listener, build_outbound_routes
from meshext_controlplane.translate.outbound_clusters import (
    ClusterOptions,
    build_black_hole,
    build_outbound,
)
from meshext_controlplane.translate.peer_authentication import MtlsMode
from meshext_controlplane.translate.policies import Policies
from meshext_controlplane.translate.services import MeshPort, MeshService, Resolution


class Translator:
    """The translation of one mesh. What did not change since `previous` is taken over, encoded."""

    def __init__(
        self,
        mesh: Mesh,
        *,
        previous: Translator | None = None,
        policies: Callable[[Mesh], Policies] = Policies,
    ) -> None:
        self._mesh = mesh
        self._policies: Policies = previous._policies.succeed(mesh) if previous else policies(mesh)
        self._memo: Memo = previous._memo.succeed() if previous else Memo()
        same = (
            previous is not None
            and previous._mesh.documents is mesh.documents
            and previous._mesh.config == mesh.config
        )
        self._catalog: Catalog = previous._catalog if previous is not None and same else build_catalog(mesh)
        self._index = index_members(mesh.workloads)
        self._members: dict[MeshService, tuple[Workload, ...]] = {}
        config = mesh.config
        self._trust_domains = (config.trust_domain, *config.trust_domain_aliases)

    def snapshot(self, proxy: Proxy) -> Snapshot:
        """Everything that the proxy shall have."""
        return build_snapshot([*self._placed(proxy), *self._outbound(proxy), *self._inbound(proxy)])

    def _placed(self, proxy: Proxy) -> Iterator[Resource]:
        """What policies refer to, each once."""
        workload = proxy.workload
        placed = [self._policies.inbound(workload, port.number) for port in workload.ports]
        found = [each for one in (*placed, self._policies.outbound(workload)) for each in one.resources]
        yield from {(each.type_url, each.name): each for each in found}.values()

    def services_of(self, workload: Workload) -> tuple[FilterService, ...]:
        """The filters that the workload's sidecar has to run beside itself."""
        return self._policies.services_of(workload)

    def _outbound(self, proxy: Proxy) -> Iterator[Resource]:
        config = self._mesh.config
        yield self._memo.take((BLACK_HOLE,), (), BLACK_HOLE, build_black_hole)
        for service in self._catalog.services:
            for port in service.ports:
                yield self._cluster(service, port)
                if service.resolution is Resolution.ENDPOINTS:
                    yield self._assignment(service, port)
        address, number = proxy.workload.address, proxy.outbound
        placed = self._policies.outbound(proxy.workload)
        yield self._memo.take(
            ("listener", OUTBOUND_HTTP, address, number),
            (config, placed),
            OUTBOUND_HTTP,
            lambda: build_outbound_listener(address, number, config, placed),
        )
        namespace = proxy.identity.namespace
        yield self._memo.take(
            ("routes", OUTBOUND_HTTP, namespace),
            self._catalog.services,
            OUTBOUND_HTTP,
            lambda: build_outbound_routes(self._catalog.services, namespace),
        )

    def _cluster(self, service: MeshService, port: MeshPort) -> Resource:
        identities = frozenset(str(each.identity) for each in self._members_of(service))
        options = ClusterOptions(identities=identities, trust_domains=self._trust_domains)
        name = name_outbound(port.number, "", service.host)
        return self._memo.take(
            ("cluster", service, port), (options,), name, lambda: build_outbound(service, port, options)
        )

    def _assignment(self, service: MeshService, port: MeshPort) -> Resource:
        name = name_outbound(port.number, "", service.host)
        endpoints = tuple(self._endpoints(service, port))
        return self._memo.take(
            ("endpoints", service, port), endpoints, name, lambda: build_assignment(name, endpoints)
        )

    def _endpoints(self, service: MeshService, port: MeshPort) -> Iterator[Endpoint]:
        for workload in self._members_of(service):
            if (target := find_port(workload, port)) is not None:
                yield Endpoint(
                    host=workload.address,
                    port=target.number,
                    mesh_tls=self._policies.mtls_mode(workload, target.number) is not MtlsMode.DISABLE,
                    state=workload.state,
                    locality=workload.locality,
                    weight=workload.weight,
                )

    def _members_of(self, service: MeshService) -> tuple[Workload, ...]:
        members = self._members.get(service)
        if members is None:
            members = self._members[service] = self._index.of(service)
        return members

    def _inbound(self, proxy: Proxy) -> Iterator[Resource]:
        workload = proxy.workload
        services = self._catalog.services_of(workload)
        for port in workload.ports:
            inbound = InboundPort(
                address=workload.address,
                port=port,
                protocol=inbound_protocol(port, services),
                placed=self._policies.inbound(workload, port.number),
                mode=self._policies.mtls_mode(workload, port.number),
            )
            yield from self._inbound_port(inbound)

    def _inbound_port(self, inbound: InboundPort) -> Iterator[Resource]:
        config = self._mesh.config
        number = inbound.port.number
        key, inputs = (inbound.address, number), (inbound, config)
        name, cluster = name_inbound(number), name_inbound_cluster(number)
        take = self._memo.take
        yield take(("inbound cluster", *key), inputs, cluster, lambda: build_inbound_cluster(inbound))
        yield take(("inbound", *key), inputs, name, lambda: build_inbound_listener(inbound, config))
        if inbound.protocol.is_http:
            yield take(("inbound routes", *key), inputs, name, lambda: build_inbound_routes(inbound))
