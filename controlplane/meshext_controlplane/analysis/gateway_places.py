"""Where Gateways are served, as far as documents and registrations tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from meshext_controlplane.model.gateway import Gateway
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.workload_document import WorkloadDocument


@dataclass(frozen=True, slots=True)
class GatewayPlace:
    """A gateway workload: registered, or one that `meshext up` will start."""

    name: str
    namespace: str
    labels: Mapping[str, str]


def find_places(mesh: Mesh) -> list[GatewayPlace]:
    """All of them."""
    registered = [
        GatewayPlace(each.name, each.namespace, each.labels) for each in mesh.workloads if each.gateway
    ]
    written = [
        GatewayPlace(each.metadata.name, each.metadata.namespace, each.metadata.labels)
        for each in mesh.of(WorkloadDocument)
        if each.spec.gateway
    ]
    return [*registered, *written]


def places_of(places: list[GatewayPlace], gateway: Gateway) -> list[GatewayPlace]:
    """Those that serve a Gateway."""
    wanted = gateway.spec.selector.items()
    return [each for each in places if wanted <= dict(each.labels).items()]


def leads_to_gateway(mesh: Mesh, namespace: str, selector: Mapping[str, str]) -> bool:
    """Whether a Service of the namespace with that selector has a gateway behind it."""
    return any(
        each.namespace == namespace and selector.items() <= dict(each.labels).items()
        for each in find_places(mesh)
    )


def find_raw_servers(mesh: Mesh, namespace: str, labels: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Servers without HTTP at gateways that a policy of the namespace with these labels is for, and ports."""
    everywhere = namespace == mesh.config.root_namespace
    places = find_places(mesh)
    for gateway in mesh.of(Gateway):
        # Where nothing tells of a gateway workload, its Gateway stands for it.
        known = places_of(places, gateway) or [
            GatewayPlace(gateway.metadata.name, gateway.metadata.namespace, gateway.spec.selector)
        ]
        for place in known:
            if not (everywhere or place.namespace == namespace):
                continue
            if labels.items() <= dict(place.labels).items():
                for server in gateway.spec.servers:
                    if server.port.protocol in ("TCP", "TLS"):
                        where = f"server {server.port.name} of Gateway {gateway.full_name}"
                        yield where, server.port.number
