"""Selectors, services and providers that documents name: whether anything is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from meshext_controlplane.analysis.authentication import labels_of
from meshext_controlplane.analysis.hosts import find_hosts
from meshext_controlplane.analysis.messages import Key, Message
from meshext_controlplane.analysis.subjects import (
    find_subjects,
    is_http,
    protocol_of,
    select_subjects,
)
from meshext_controlplane.model.authorization_policy import AuthorizationPolicy
from meshext_controlplane.model.destination_rule import DestinationRule
from meshext_controlplane.model.filter_policy import FilterPolicy
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.mesh_config import MeshConfig
from meshext_controlplane.model.peer_authentication import PeerAuthentication
from meshext_controlplane.model.request_authentication import RequestAuthentication
from meshext_controlplane.model.selector import Selector
from meshext_controlplane.model.service import Service
from meshext_controlplane.model.sidecar import Sidecar
from meshext_controlplane.model.telemetry import Telemetry


def check_selectors(mesh: Mesh) -> Iterator[Message]:
    """Selectors that select nothing, as far as documents tell."""
    subjects = find_subjects(mesh)
    if not subjects:
        return
    for key, labels in find_selectors(mesh):
        if labels and not any(select_subjects(mesh, subjects, key[1], labels)):
            shown = ", ".join(f"{name}: {value}" for name, value in labels.items())
            yield Message(
                code="MX111",
                key=key,
                text=f"nothing in namespace {key[1]} has the labels {shown}",
                hint="compare with the Services' selectors and the workloads' labels",
                path=("spec", "selector"),
            )


def find_selectors(mesh: Mesh) -> Iterator[tuple[Key, Mapping[str, str]]]:
    """Every selector, and whose it is."""
    for policy in mesh.of(AuthorizationPolicy):
        yield policy.key, dict(policy.policy.selector)
    selecting: list[tuple[Key, Selector | None]] = [
        *((each.key, each.spec.selector) for each in mesh.of(PeerAuthentication)),
        *((each.key, each.spec.selector) for each in mesh.of(RequestAuthentication)),
        *((each.key, each.spec.selector) for each in mesh.of(Telemetry)),
        *((each.key, each.spec.selector) for each in mesh.of(FilterPolicy)),
        *((each.key, each.spec.workload_selector) for each in mesh.of(DestinationRule)),
    ]
    for key, selector in selecting:
        yield key, labels_of(selector)
    for sidecar in mesh.of(Sidecar):
        if sidecar.spec.workload_selector is not None:
            yield sidecar.key, sidecar.spec.workload_selector.labels


def check_services_of_filters(mesh: Mesh) -> Iterator[Message]:
    """FilterPolicies whose shared service does not exist."""
    hosts = find_hosts(mesh)
    for document in mesh.of(FilterPolicy):
        shared = document.spec.service
        if shared is not None and not hosts.serves(shared.host.rpartition("/")[2], shared.port):
            yield Message(
                code="MX117",
                key=document.key,
                text=f"the mesh has no {shared.host}:{shared.port}, so the filter lets nothing in",
                hint="add its Service, or leave service out to run it beside each sidecar",
                path=("spec", "service"),
            )


def check_ports_of_filters(mesh: Mesh) -> Iterator[Message]:
    """FilterPolicies that may refuse, where a selected Service has a port that nobody asks them at."""
    subjects = find_subjects(mesh)
    for document in mesh.of(FilterPolicy):
        if document.spec.direction != "inbound" or not document.spec.may_guard:
            continue
        labels = labels_of(document.spec.selector)
        for subject in select_subjects(mesh, subjects, document.metadata.namespace, labels):
            for port in subject.ports:
                if not is_http(port):
                    yield Message(
                        code="MX121",
                        key=document.key,
                        text=f"{subject.name} port {port.port} is not HTTP, so nothing is asked there",
                        hint="select other workloads, or name the port http-... where HTTP is spoken",
                        path=("spec", "selector"),
                    )


def check_services_of_providers(mesh: Mesh) -> Iterator[Message]:
    """Providers of logs and spans whose service does not exist."""
    hosts = find_hosts(mesh)
    for document in mesh.of(MeshConfig)[:1]:
        for number, provider in enumerate(document.spec.extension_providers):
            if provider.service is not None and not hosts.serves(*provider.service):
                host, port = provider.service
                yield Message(
                    code="MX118",
                    key=document.key,
                    text=f"the mesh has no {host}:{port} of provider {provider.name!r}",
                    hint="add its Service",
                    path=("spec", "extensionProviders", number),
                )


def check_telemetry(mesh: Mesh) -> Iterator[Message]:
    """Several Telemetries of one scope."""
    seen: dict[tuple[str, tuple[tuple[str, str], ...]], Telemetry] = {}
    for document in mesh.of(Telemetry):
        scope = document.metadata.namespace, tuple(sorted(labels_of(document.spec.selector).items()))
        first = seen.setdefault(scope, document)
        if first is not document:
            yield Message(
                code="MX119",
                key=document.key,
                text=f"{first.metadata.name} is for the same workloads and counts alone",
                hint="put its fields in there",
                path=("spec",),
            )


def check_protocols(mesh: Mesh) -> Iterator[Message]:
    """Ports of Services that do not say what they speak."""
    for document in mesh.of(Service):
        for number, port in enumerate(document.spec.ports):
            if not protocol_of(port):
                yield Message(
                    code="MX201",
                    key=document.key,
                    text=f"port {port.port} does not say what it speaks, so it is TCP: no routes, no paths",
                    hint="write appProtocol: http, or a name such as http-web",
                    path=("spec", "ports", number),
                )
