"""What a gRPC client without an Envoy does not do of what documents say, as the translation decides it."""

from __future__ import annotations

from collections.abc import Iterator

from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.workload import Workload, serves_itself
from meshext_controlplane.translate.catalog import Catalog
from meshext_controlplane.translate.filter_policy import select_filters
from meshext_controlplane.translate.grpc_client import Dialed, list_dialed
from meshext_controlplane.translate.grpc_clusters import find_peers
from meshext_controlplane.translate.grpc_routes import find_limits, tell_hash
from meshext_controlplane.translate.grpc_server import tell_guards
from meshext_controlplane.translate.membership import Membership
from meshext_controlplane.translate.names import name_outbound
from meshext_controlplane.translate.outlook import Outlook
from meshext_controlplane.translate.peer_authentication import MtlsMode
from meshext_controlplane.translate.policies import Policies
from meshext_controlplane.translate.route_matches import Source


def tell_limits(mesh: Mesh, workload: Workload) -> Iterator[str]:
    """One line for each, the refused first in a rule; nothing where the client does all that is written."""
    yield from _of_server(mesh, workload)
    catalog = Catalog(mesh)
    scope = catalog.scope_of(workload.namespace)
    outlook = Outlook(catalog, scope, catalog.horizons.of(workload))
    source = Source(scope, catalog.asked_labels(workload.labels))
    for policy in select_filters(mesh, workload, "outbound"):
        name = f"{policy.metadata.namespace}/{policy.metadata.name}"
        yield f"gRPC refuses all calls: FilterPolicy {name} is outbound, and there is no Envoy to ask it"
    for dialed in list_dialed(outlook, workload.namespace):
        yield from dict.fromkeys(_of_routes(dialed, outlook, source))
    yield from _of_clusters(mesh, catalog, outlook)


def _of_server(mesh: Mesh, workload: Workload) -> Iterator[str]:
    policies = Policies(mesh)
    for port in workload.ports:
        if serves_itself(workload, port):
            if policies.mtls_mode(workload, port.number) is MtlsMode.PERMISSIVE:
                yield f"gRPC takes mTLS alone at port {port.number}, which is PERMISSIVE"
            for told in tell_guards(policies, workload, port.number):
                yield f"gRPC lets nobody in at port {port.number}, as it can not do {told}"


def _of_routes(dialed: Dialed, outlook: Outlook, source: Source) -> Iterator[str]:
    if dialed.document is None:
        hashed = outlook.consistent_hash(name_outbound(dialed.port, "", dialed.host))
        if hashed is not None and (told := tell_hash(hashed)):
            yield f"gRPC refuses calls to {dialed.routes}, as it can not do {told}"
        return
    meta = dialed.document.metadata
    for name in dialed.names:
        for limit in find_limits(dialed.document, source, dialed.port, name, outlook):
            where = f"{dialed.routes} by {limit.rule} of VirtualService {meta.namespace}/{meta.name}"
            if limit.refused:
                yield f"gRPC refuses calls to {where}, as it can not do {limit.text}"
            else:
                yield f"gRPC calls {where} without {limit.text}"


def _of_clusters(mesh: Mesh, catalog: Catalog, outlook: Outlook) -> Iterator[str]:
    membership = Membership(catalog, mesh.workloads, Policies(mesh))
    for name, plan in outlook.plans.items():
        if not plan.port.protocol.is_http or "*" in plan.service.host:
            continue
        endpoints = membership.endpoints(plan.service, plan.port)
        peers = find_peers(plan, endpoints, membership.identities(plan.service), mesh.banned)
        if peers.closed:
            yield f"gRPC finds nobody in {name}: {peers.closed}"
        elif peers.mutual and plan.effective.policy.tls is None:
            plain = sum(not each.mesh_tls for each in endpoints)
            if plain:
                yield f"gRPC leaves out {plain} of {len(endpoints)} endpoints of {name}, which take no mTLS"
