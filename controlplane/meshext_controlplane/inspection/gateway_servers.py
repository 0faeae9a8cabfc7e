"""The servers of a gateway, found as the translation finds them."""

from __future__ import annotations

from collections.abc import Iterator

from meshext_controlplane.inspection.description import DescribedServer
from meshext_controlplane.model.credential import SUFFIX
from meshext_controlplane.model.secret import Secret
from meshext_controlplane.model.server_tls import ServerTls
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.translate.catalog import Catalog
from meshext_controlplane.translate.gateways import BoundServer, GatewayPort


def describe_servers(catalog: Catalog, workload: Workload) -> Iterator[DescribedServer]:
    """Every server of a gateway, port by port; none of a sidecar."""
    for port in catalog.gateways.ports(workload, catalog.services_of(workload)):
        for bound in port.servers:
            yield describe_server(catalog, workload, port, bound)


def describe_server(
    catalog: Catalog, workload: Workload, port: GatewayPort, bound: BoundServer
) -> DescribedServer:
    """One of them."""
    tls = bound.server.tls
    secrets = {
        name: catalog.secrets.get((workload.namespace, name)) for name in list_secrets(catalog, workload, tls)
    }
    kind = bound.routes_kind
    routes = [
        each
        for each in catalog.gateways.routes(bound, workload.namespace)
        if getattr(each.document.spec, kind)
    ]
    return DescribedServer(
        gateway=bound.gateway,
        name=bound.server.name or bound.server.port.name,
        port=port.number,
        listens=port.listens,
        bind=port.bind or workload.address,
        protocol=bound.server.port.protocol,
        hosts=bound.server.hosts,
        tls="" if tls is None else tls.mode or "redirect",
        secrets=tuple(f"{workload.namespace}/{name}" for name in secrets),
        missing=tls is not None and _is_missing(tls, secrets),
        virtual_services=tuple(
            f"{each.document.metadata.namespace}/{each.document.metadata.name}" for each in routes
        ),
    )


def list_secrets(catalog: Catalog, workload: Workload, tls: ServerTls | None) -> tuple[str, ...]:
    """The names of the Secrets that a server's TLS is made of, whether they are there or not."""
    if tls is None:
        return ()
    if not tls.asks:
        return tls.credentials
    own = catalog.secrets.get((workload.namespace, tls.credentials[0]))
    if tls.ca_cert_credential_name:
        return (*tls.credentials, tls.ca_cert_credential_name)
    has_authorities = own is not None and not own.trouble_of_authorities()
    return tls.credentials if has_authorities else (*tls.credentials, f"{tls.credentials[0]}{SUFFIX}")


def _is_missing(tls: ServerTls, secrets: dict[str, Secret | None]) -> bool:
    """Whether the hosts are not served for want of a certificate, or of whom to believe."""
    shown = [secrets[name] for name in tls.credentials]
    if any(each is None or each.trouble() for each in shown):
        return True
    known = [each for each in secrets.values() if each is not None]
    return tls.asks and all(each.trouble_of_authorities() for each in known)
