"""One workload described: what is said of it by every kind of document, as it is served.

Everything is asked of the functions that the translation asks, so that the two can not disagree. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshext_controlplane.inspection.cautions import find_warnings
from meshext_controlplane.inspection.description import (
    DescribedAuthorization,
    DescribedFilter,
    DescribedPort,
    DescribedProxy,
    DescribedService,
    DescribedTelemetry,
    DescribedTokens,
    Description,
)
from meshext_controlplane.inspection.gateway_servers import describe_servers
from meshext_controlplane.inspection.routing import Routing
from meshext_controlplane.inspection.view import ProxyState, View
from meshext_controlplane.model.base import MeshDocument
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.workload import Locality, Workload
from meshext_controlplane.translate.catalog import Catalog
from meshext_controlplane.translate.filter_policy import PLACES, directions_of, select_filters
from meshext_controlplane.translate.http_filters import ORDER
from meshext_controlplane.translate.inbound import inbound_protocol
from meshext_controlplane.translate.jwt import select_documents
from meshext_controlplane.translate.peer_authentication import MtlsModes
from meshext_controlplane.translate.policies import Policies
from meshext_controlplane.translate.services import MeshService
from meshext_controlplane.translate.telemetry import (
    Side,
    find_levels,
    resolve_logging,
    resolve_metrics,
    resolve_tracing,
)

_RANKS = {place.name: rank for rank, place in enumerate(ORDER)}


def describe(view: View, workload: Workload) -> Description:
    """All that concerns the workload."""
    mesh = view.mesh
    catalog = Catalog(mesh)
    services = catalog.services_of(workload)
    routing = Routing(mesh, catalog)
    described = Description(
        name=workload.name,
        namespace=workload.namespace,
        identity=str(workload.identity),
        address=workload.address,
        state=workload.state.name,
        locality=tell_locality(workload.locality),
        labels=dict(workload.labels),
        proxy=describe_proxy(view.proxy_of(workload)),
        ports=tuple(describe_ports(mesh, workload, services)),
        services=tuple(each for one in services for each in describe_service(catalog, one, workload)),
        authorization=tuple(describe_authorization(mesh, workload)),
        request_authentications=tuple(describe_tokens(mesh, workload)),
        filters=tuple(describe_filters(view, workload)),
        telemetry=describe_telemetry(mesh, workload),
        virtual_services=tuple(each for one in services for each in routing.routes(one, workload)),
        destination_rules=tuple(each for one in services for each in routing.rules(one, workload)),
        gateway=workload.gateway,
        servers=tuple(describe_servers(catalog, workload)),
        sidecar=describe_sidecar(catalog, workload),
    )
    return find_warnings(view, workload, described)


def describe_sidecar(catalog: Catalog, workload: Workload) -> str:
    """The Sidecar that counts for the workload, "" for none."""
    document = None if workload.gateway else catalog.horizons.document_of(workload)
    return full_name(document) if document is not None else ""


def full_name(document: MeshDocument) -> str:
    """`namespace/name`."""
    return f"{document.metadata.namespace}/{document.metadata.name}"


def tell_locality(place: Locality) -> str:
    """`region/zone/subzone`, as far as it is said."""
    return "/".join((place.region, place.zone, place.sub_zone)).rstrip("/")


def describe_proxy(proxy: ProxyState | None) -> DescribedProxy:
    """Whether it is connected, and has what it shall have."""
    if proxy is None:
        return DescribedProxy(connected=False)
    return DescribedProxy(
        connected=True,
        kind=proxy.kind,
        synced=proxy.synced,
        envoy=proxy.envoy,
        problem=proxy.problem,
        types=tuple((name, each.state, each.error) for name, each in proxy.types.items()),
    )


def describe_ports(
    mesh: Mesh, workload: Workload, services: tuple[MeshService, ...]
) -> Iterator[DescribedPort]:
    """Each port, with its mTLS mode."""
    modes = MtlsModes(mesh)
    for port in workload.ports:
        mode, document = modes.decide(workload, port.number)
        yield DescribedPort(
            number=port.number,
            name=port.name,
            protocol=inbound_protocol(port, services).value,
            application=port.application,
            mtls=mode.value,
            decided_by=full_name(document) if document is not None else "",
        )


def describe_service(
    catalog: Catalog, service: MeshService, workload: Workload
) -> Iterator[DescribedService]:
    """Each port of a service that the workload is behind."""
    for port in service.ports:
        yield DescribedService(
            host=service.host,
            port=port.number,
            name=port.name,
            protocol=port.protocol.value,
            workload_port=catalog.find_port(workload, port),
        )


def describe_authorization(mesh: Mesh, workload: Workload) -> Iterator[DescribedAuthorization]:
    """AuthorizationPolicies, in the order in which they are written out."""
    for policy in Policies(mesh).authorization_of(workload):
        yield DescribedAuthorization(
            policy=policy.full_name,
            action=policy.action.value,
            dry_run=policy.dry_run,
            rules=len(policy.rules),
            provider=policy.provider,
        )


def describe_tokens(mesh: Mesh, workload: Workload) -> Iterator[DescribedTokens]:
    """RequestAuthentications."""
    for document in select_documents(mesh, workload):
        issuers = tuple(rule.issuer for rule in document.spec.jwt_rules)
        yield DescribedTokens(policy=full_name(document), issuers=issuers)


def describe_filters(view: View, workload: Workload) -> Iterator[DescribedFilter]:
    """FilterPolicies, those of one direction as a request meets them."""
    for direction in directions_of(workload):
        chosen = select_filters(view.mesh, workload, direction)
        for policy in sorted(chosen, key=lambda each: _RANKS[PLACES[each.spec.phase]]):
            shared = policy.spec.service
            yield DescribedFilter(
                policy=full_name(policy),
                direction=direction,
                phase=policy.spec.phase or "",
                mode=view.modes.get(policy.key, ""),
                filter=policy.spec.filter,
                service=f"{shared.host}:{shared.port}" if shared else "",
            )


def describe_telemetry(mesh: Mesh, workload: Workload) -> DescribedTelemetry:
    """What is logged, traced and counted of what the workload is asked, and logged of what it asks."""
    levels = find_levels(mesh, workload)
    traced = resolve_tracing(mesh, levels, Side.SERVER)
    return DescribedTelemetry(
        documents=tuple(map(full_name, levels)),
        logs=tuple(
            (side.value, provider)
            for side in Side
            for provider in resolve_logging(mesh, levels, side).providers
        ),
        tracing=traced.provider,
        sampling=traced.sampling if traced.provider else 0.0,
        metrics=resolve_metrics(mesh, levels, Side.SERVER).counted,
    )
