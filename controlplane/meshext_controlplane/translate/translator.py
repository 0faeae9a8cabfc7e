"""From a mesh to what each proxy shall have: pure, total, and nothing built twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.proxy import Proxy, ProxyKind
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.snapshot import CLUSTER, ENDPOINT, Named, Resource, Snapshot
from meshext_controlplane.translate.catalog import Catalog
from meshext_controlplane.translate.filter_policy import FilterService
from meshext_controlplane.translate.gateway import GatewayProxy
from meshext_controlplane.translate.grpc_client import GrpcCalls
from meshext_controlplane.translate.grpc_server import GrpcServer
from meshext_controlplane.translate.grpc_sharing import GrpcSharing
from meshext_controlplane.translate.grpc_snapshots import GrpcSnapshots, Seat
from meshext_controlplane.translate.horizons import Horizon
from meshext_controlplane.translate.localities import Client
from meshext_controlplane.translate.membership import Membership
from meshext_controlplane.translate.memo import Memo
from meshext_controlplane.translate.outbound_routes import OutboundRoutes
from meshext_controlplane.translate.outbound_tcp import TcpPorts, list_tcp_ports
from meshext_controlplane.translate.outlook import Outlook
from meshext_controlplane.translate.policies import Policies
from meshext_controlplane.translate.route_matches import Source
from meshext_controlplane.translate.sharing import Shared, Sharing
from meshext_controlplane.translate.sidecar import Sidecar
from meshext_controlplane.translate.transparent import Captures, TransparentSidecar

Reach = tuple[str, Horizon]
"""A scope, and how far its clients see."""


@dataclass(frozen=True, slots=True)
class _Own:
    """What one proxy has for itself, and the last snapshot that was made of it."""

    proxy: Proxy
    types: Mapping[str, Named]
    shared: Shared
    snapshot: Snapshot


class _Views:
    """What is made of one set of documents, when somebody asks for it."""

    def __init__(self, mesh: Mesh, policies: Policies, previous: _Views | None) -> None:
        self.policies = policies
        self.catalog: Catalog = Catalog(mesh, previous.catalog if previous else None)
        self.memo: Memo = previous.memo.succeed() if previous else Memo()
        self.own: dict[str, _Own] = {}
        self._outlooks: dict[Reach, Outlook] = {}
        self._calls: dict[tuple[Reach, Source], tuple[OutboundRoutes, TcpPorts]] = {}
        self._dialed: dict[Seat, tuple[Resource, ...]] = {}
        self._captures: Captures = Captures(self.catalog, self.memo)

    def reach(self, workload: Workload) -> Reach:
        """What decides about a client's view."""
        return self.catalog.scope_of(workload.namespace), self.catalog.horizons.of(workload)

    def outlook(self, reach: Reach) -> Outlook:
        """The view of a scope, as far as its horizon goes."""
        if (outlook := self._outlooks.get(reach)) is None:
            outlook = self._outlooks[reach] = Outlook(self.catalog, *reach)
        return outlook

    def dialed(self, seat: Seat) -> tuple[Resource, ...]:
        """What gRPC clients of a seat dial: listeners and routes. It hangs on documents alone."""
        if (dialed := self._dialed.get(seat)) is None:
            outlook = self.outlook(seat.reach)
            calls = GrpcCalls(outlook, seat.source, seat.namespace, self.memo, seat.closed)
            dialed = self._dialed[seat] = tuple(calls.resources())
        return dialed

    def build_own(self, proxy: Proxy) -> Mapping[str, Named]:
        """What is the proxy's own, by type and name; of two with one name the first is the one."""
        types: dict[str, dict[str, Resource]] = {}
        for resource in self._list_own(proxy):
            types.setdefault(resource.type_url, {}).setdefault(resource.name, resource)
        return {url: MappingProxyType(named) for url, named in types.items()}

    def _list_own(self, proxy: Proxy) -> Iterator[Resource]:
        reach = self.reach(proxy.workload)
        if proxy.workload.gateway:
            gateway = GatewayProxy(proxy, self.catalog, self.policies, self.outlook(reach), self.memo)
            yield from gateway.resources()
            return
        source = Source(reach[0], self.catalog.asked_labels(proxy.workload.labels))
        if proxy.transparent is not None:
            own = TransparentSidecar(proxy, proxy.transparent, self._captures, self.policies)
            yield from own.outbound(self.outlook(reach), source)
            yield from own.inbound()
            return
        sidecar = Sidecar(proxy, self.catalog, self.policies, self.memo)
        yield from sidecar.outbound(*self._call(reach, source))
        yield from sidecar.inbound()

    def _call(self, reach: Reach, source: Source) -> tuple[OutboundRoutes, TcpPorts]:
        """How clients with the same view and the same labels call others."""
        if (calls := self._calls.get((reach, source))) is None:
            outlook = self.outlook(reach)
            routes = OutboundRoutes(outlook, source, self.memo, outlook.allow_any)
            calls = self._calls[reach, source] = (routes, list_tcp_ports(outlook, source))
        return calls


class Translator:
    """The translation of one mesh. What did not change since `previous` is taken over, encoded."""

    def __init__(
        self,
        mesh: Mesh,
        *,
        previous: Translator | None = None,
        policies: Callable[[Mesh], Policies] = Policies,
    ) -> None:
        self._mesh: Mesh = mesh
        self._views: _Views
        self._shared: dict[tuple[Reach, Client], Shared] = {}
        self._grpc: GrpcSnapshots = GrpcSnapshots(previous._grpc if previous else None)
        self._before: Mapping[tuple[Reach, Client], Shared] = {}
        if previous is not None:
            # A mesh that nobody has asked about has nothing to take over; the one before it has.
            self._before = previous._shared or previous._before
        old = None if previous is None else previous._mesh
        membership = None
        if previous is not None and old is not None and _says_the_same(old, mesh):
            self._views, membership = previous._views, previous._membership
        else:
            chosen = previous._views.policies.succeed(mesh) if previous else policies(mesh)
            self._views = _Views(mesh, chosen, previous._views if previous else None)
        self._membership: Membership = Membership(
            self._views.catalog, mesh.workloads, self._views.policies, membership
        )

    def snapshot(self, proxy: Proxy) -> Snapshot:
        """Everything that the proxy shall have."""
        if proxy.kind is ProxyKind.GRPC:
            return self._grpc_snapshot(proxy)
        shared = self._share(proxy)
        own = self._views.own.get(proxy.node_id)
        if own is None or own.proxy != proxy:
            types = self._views.build_own(proxy)
            snapshot = _merge(types, shared)
        elif own.shared.clusters is not shared.clusters:
            types, snapshot = own.types, _merge(own.types, shared)
        elif own.shared.endpoints is not shared.endpoints:
            types = own.types
            snapshot = Snapshot(MappingProxyType({**own.snapshot.types, ENDPOINT: shared.endpoints}))
        else:
            return own.snapshot
        self._views.own[proxy.node_id] = _Own(proxy, types, shared, snapshot)
        return snapshot

    def _share(self, proxy: Proxy) -> Shared:
        catalog = self._views.catalog
        reach = self._views.reach(proxy.workload)
        client = catalog.client(proxy.workload)
        if (shared := self._shared.get((reach, client))) is None:
            outlook = self._views.outlook(reach)
            sharing = Sharing(outlook, client, self._membership, catalog.config, self._views.memo)
            shared = self._shared[reach, client] = sharing.share(self._before.get((reach, client)))
        return shared

    def _grpc_snapshot(self, proxy: Proxy) -> Snapshot:
        seat = self._seat(proxy.workload)
        shared = self._grpc.take(seat, lambda: self._list_grpc(seat))
        served = GrpcServer(proxy.workload, self._views.policies, self._views.memo)
        return self._grpc.add(proxy.node_id, shared, served.resources())

    def _seat(self, workload: Workload) -> Seat:
        catalog, reach = self._views.catalog, self._views.reach(workload)
        return Seat(
            reach,
            Source(reach[0], catalog.asked_labels(workload.labels)),
            workload.namespace,
            catalog.client(workload),
            # The client runs none of the filters that stand before what sidecars send.
            closed=bool(self._views.policies.outbound(workload).filters),
        )

    def _list_grpc(self, seat: Seat) -> Iterator[Resource]:
        views = self._views
        yield from views.dialed(seat)
        yield from GrpcSharing(
            outlook=views.outlook(seat.reach),
            client=seat.client,
            membership=self._membership,
            config=views.catalog.config,
            banned=self._mesh.banned,
            memo=views.memo,
        ).resources()

    def services_of(self, workload: Workload) -> tuple[FilterService, ...]:
        """The filters that the workload's sidecar has to run beside itself."""
        return self._views.policies.services_of(workload)


def _says_the_same(old: Mesh, new: Mesh) -> bool:
    written = old.documents is new.documents and old.plans is new.plans and old.config == new.config
    return written and old.banned == new.banned


def _merge(types: Mapping[str, Named], shared: Shared) -> Snapshot:
    named = dict(types)
    for url, everybodys in ((CLUSTER, shared.clusters), (ENDPOINT, shared.endpoints)):
        named[url] = MappingProxyType({**everybodys, **types[url]}) if url in types else everybodys
    return Snapshot(MappingProxyType(named))
