"""FilterPolicy: Python filters in the chains of the workloads that they select.

A filter's configuration is a resource of its own (ECDS), so that a change of the filter closes no connection;
only one that comes or goes edits the listener. Its service runs beside the sidecar or is one of the mesh. A
filter whose class does not load, or whose service is nowhere, lets nothing in: it may be what guards.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meshext.plan import Mode, Plan
from meshext_controlplane.model.filter_policy import FilterPolicy
from meshext_controlplane.model.filter_source import FilterSource
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.snapshot import PREFIX, Resource, encode_resource
from meshext_controlplane.translate.custom import Serves
from meshext_controlplane.translate.filter_config import build_cluster_beside, build_filter, name_socket
from meshext_controlplane.translate.http_filters import HttpFilter
from meshext_controlplane.translate.messages import build_ads, pack
from meshext_controlplane.translate.names import name_outbound
from meshext_proto.envoy.config.core.v3 import config_source_pb2, extension_pb2
from meshext_proto.envoy.extensions.filters.http.ext_authz.v3 import ext_authz_pb2
from meshext_proto.envoy.extensions.filters.http.ext_proc.v3 import ext_proc_pb2
from meshext_proto.envoy.extensions.filters.http.rbac.v3 import rbac_pb2

PLACES = {"AUTHN": "authn", "AUTHZ": "authz", "STATS": "stats", None: "last"}
"""The place in `http_filters.ORDER` of each phase."""

PROVIDER = "Provider"
"""The kind under which a mesh has the plan of a provider's filter."""

TYPES = tuple(
    PREFIX + kind.DESCRIPTOR.full_name
    for kind in (ext_authz_pb2.ExtAuthz, ext_proc_pb2.ExternalProcessor, rbac_pb2.RBAC)
)
"""What a filter's resource may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterService:
    """A filter that a sidecar runs beside itself, at a socket in the folder that Envoy runs in.

    `config` is JSON text, "" for none; it may hold secrets.
    """

    name: str
    filter: str
    config: str
    mode: Mode
    socket: str


@dataclass(frozen=True, slots=True)
class Built:
    """What one filter is in a listener, and the resources that it refers to."""

    filters: tuple[HttpFilter, ...]
    resources: tuple[Resource, ...] = ()


def directions_of(workload: Workload) -> tuple[str, ...]:
    """The directions of filters that its proxy has."""
    return ("gateway",) if workload.gateway else ("inbound", "outbound")


def select_filters(mesh: Mesh, workload: Workload, direction: str) -> list[FilterPolicy]:
    """The filters of one direction of a workload; those of one phase as a request meets them."""
    namespaces = (mesh.config.root_namespace, workload.namespace)
    chosen = [
        each
        for each in mesh.of(FilterPolicy)
        if each.metadata.namespace in namespaces
        and each.spec.direction == direction
        and (each.spec.selector is None or each.spec.selector.selects(workload.labels))
    ]
    return sorted(
        chosen,
        key=lambda each: (
            -each.spec.priority,
            each.metadata.namespace != mesh.config.root_namespace,
            each.metadata.name,
        ),
    )


def build_policy(policy: FilterPolicy, plan: Plan | None, serves: Serves) -> Built:
    """One FilterPolicy; `plan` is None where its class does not load."""
    name = name_filter(policy.metadata.namespace, policy.metadata.name)
    cluster = find_cluster(policy.spec, name, serves)
    if plan is None or cluster is None:
        closed = build_extension(name, HttpFilter(name=name, typed_config=pack(build_closed())))
        return Built((build_discovered(name),), (closed,))
    built = build_filter(plan, cluster, policy.spec)
    resources = [build_extension(name, built.asking)]
    if policy.spec.service is None:
        socket = name_socket(policy.metadata.namespace, policy.metadata.name)
        resources.append(encode_resource(cluster, build_cluster_beside(cluster, socket)))
    beside = [HttpFilter(name=f"{name}|beside", typed_config=each.typed_config) for each in built.beside]
    return Built((build_discovered(name), *beside), tuple(resources))


def find_cluster(source: FilterSource, name: str, serves: Serves) -> str | None:
    """The cluster of a filter's service; None where the mesh has no such service."""
    if source.service is None:
        return name
    host, port = source.service.host.rpartition("/")[2], source.service.port
    return name_outbound(port, "", host) if serves(host, port) else None


def name_filter(namespace: str, name: str) -> str:
    """The name of the filter, of its resource, and of the cluster of a service beside the sidecar."""
    return f"filter|{namespace}|{name}"


def build_discovered(name: str) -> HttpFilter:
    """A filter whose configuration comes as a resource; requests wait until the first is there."""
    discovery = config_source_pb2.ExtensionConfigSource(config_source=build_ads(), type_urls=TYPES)
    return HttpFilter(name=name, config_discovery=discovery)


def build_extension(name: str, configured: HttpFilter) -> Resource:
    """The resource of a filter's configuration."""
    return encode_resource(
        name, extension_pb2.TypedExtensionConfig(name=name, typed_config=configured.typed_config)
    )


def build_closed() -> rbac_pb2.RBAC:
    """A filter that lets nothing in."""
    return rbac_pb2.RBAC(rules={"action": "ALLOW"})


def list_services(mesh: Mesh, workload: Workload, providers: Iterable[str]) -> tuple[FilterService, ...]:
    """The filters that the workload's sidecar runs itself; `providers` are those that CUSTOM names there."""
    named: list[tuple[FilterSource, tuple[str, str, str]]] = [
        (policy.spec, policy.key)
        for direction in directions_of(workload)
        for policy in select_filters(mesh, workload, direction)
    ]
    for provider in providers:
        given = mesh.config.provider(provider)
        if given is not None and given.meshext_filter is not None:
            named.append((given.meshext_filter, (PROVIDER, "", provider)))
    return tuple(
        to_service(source, mesh.plans[key], key[1], key[2])
        for source, key in named
        if source.service is None and key in mesh.plans
    )


def to_service(source: FilterSource, plan: Plan, namespace: str, name: str) -> FilterService:
    """What the sidecar has to run for a filter."""
    return FilterService(
        name=name_filter(namespace, name),
        filter=source.filter,
        config="" if source.config is None else json.dumps(source.config),
        mode=plan.mode,
        socket=name_socket(namespace, name),
    )


def sort_into_places(built: Sequence[tuple[FilterPolicy, Built]]) -> dict[str, tuple[HttpFilter, ...]]:
    """Filters by the place of their phase, in the order given."""
    places: dict[str, tuple[HttpFilter, ...]] = {}
    for policy, each in built:
        place = PLACES[policy.spec.phase]
        places[place] = (*places.get(place, ()), *each.filters)
    return places
