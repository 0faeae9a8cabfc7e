"""What to look after on one workload: its own state, and what analysis and the control plane say of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from meshext_controlplane.analysis.analyze import analyze
from meshext_controlplane.analysis.messages import Message
from meshext_controlplane.inspection.description import Description
from meshext_controlplane.inspection.grpc_limits import tell_limits
from meshext_controlplane.inspection.view import View
from meshext_controlplane.model.authorization_policy import AuthorizationPolicy
from meshext_controlplane.model.destination_rule import DestinationRule
from meshext_controlplane.model.filter_policy import FilterPolicy
from meshext_controlplane.model.gateway import Gateway
from meshext_controlplane.model.peer_authentication import PeerAuthentication
from meshext_controlplane.model.request_authentication import RequestAuthentication
from meshext_controlplane.model.secret import Secret
from meshext_controlplane.model.service import Service
from meshext_controlplane.model.service_entry import ServiceEntry
from meshext_controlplane.model.sidecar import Sidecar
from meshext_controlplane.model.telemetry import Telemetry
from meshext_controlplane.model.virtual_service import VirtualService
from meshext_controlplane.model.workload import State, Workload
from meshext_controlplane.sources.places import Key, show_key
from meshext_controlplane.translate.catalog import make_services
from meshext_controlplane.translate.protocols import Protocol


def find_warnings(view: View, workload: Workload, described: Description) -> Description:
    """The description with its warnings."""
    keys = list_documents(view, described)
    told = [*_tell_state(workload, described), *_tell_ports(described)]
    if described.proxy.kind == "grpc":
        told += tell_limits(view.mesh, workload)
    told += [
        f"{each.severity.name.capitalize()} {tell_finding(view, each)}; {each.hint}"
        for each in analyze(view.mesh)
        if each.key in keys
    ]
    named = {show_key(key) for key in keys}
    told += [line for line in (*view.problems, *view.held) if any(f"{name}:" in line for name in named)]
    return replace(described, warnings=tuple(told))


def _tell_state(workload: Workload, described: Description) -> Iterator[str]:
    if workload.state is not State.READY:
        yield f"it is {workload.state.name}: peers send it no requests"
    proxy = described.proxy
    if not proxy.connected:
        yield "its proxy is not connected: it keeps what it had last"
    if proxy.problem:
        yield f"its proxy is not served the newest configuration: {proxy.problem}"
    for name, state, error in proxy.types:
        if state == "NACKED":
            yield f"its proxy has refused {name}: {error}"


def _tell_servers(described: Description) -> Iterator[str]:
    if described.gateway and not described.servers:
        yield "no Gateway selects it: it listens nowhere"
    for each in described.servers:
        if each.missing:
            names, hosts = ", ".join(each.secrets), ", ".join(each.hosts)
            yield f"{hosts} is not served at port {each.port}: there is no good Secret {names}"


def _tell_ports(described: Description) -> Iterator[str]:
    if described.gateway:
        yield from _tell_servers(described)
        return
    if not described.services and (described.ports or described.proxy.kind != "grpc"):
        yield "no service selects it: peers can not call it by a name"
    for service in described.services:
        if not service.workload_port:
            yield f"{service.host}:{service.port} leads to no port of it"
    led = {service.workload_port for service in described.services}
    for port in described.ports:
        if described.services and port.number not in led:
            yield f"no service leads to its port {port.number}"
        if not Protocol(port.protocol).is_http and any(
            each.direction == "inbound" for each in described.filters
        ):
            yield f"port {port.number} is {port.protocol}: filters do not stand before it"
    for each in described.filters:
        if not each.mode:
            yield f"the filter of FilterPolicy {each.policy} does not load: it lets nothing through"


def tell_finding(view: View, message: Message) -> str:
    """One line, as `meshext analyze` writes it, without level and hint."""
    where = view.places.get(message.key, "")
    name = f"{where}: {show_key(message.key)}" if where else show_key(message.key)
    return f"[{message.code}] {name}: {message.text}"


def list_documents(view: View, described: Description) -> frozenset[Key]:
    """The documents that a description is made of."""
    named = {
        AuthorizationPolicy.KIND: [each.policy for each in described.authorization],
        RequestAuthentication.KIND: [each.policy for each in described.request_authentications],
        FilterPolicy.KIND: [each.policy for each in described.filters],
        PeerAuthentication.KIND: [each.decided_by for each in described.ports if each.decided_by],
        Telemetry.KIND: list(described.telemetry.documents),
        VirtualService.KIND: [each.document for each in described.virtual_services],
        DestinationRule.KIND: [each.document for each in described.destination_rules],
    }
    named[Gateway.KIND] = [each.gateway for each in described.servers]
    named[VirtualService.KIND] += [name for each in described.servers for name in each.virtual_services]
    named[Secret.KIND] = [name for each in described.servers for name in each.secrets]
    named[Sidecar.KIND] = [described.sidecar] if described.sidecar else []
    keys = {(kind, *_split(name)) for kind, names in named.items() for name in names}
    hosts = {each.host for each in described.services}
    for document, services in make_services(view.mesh, {}).values():
        if isinstance(document, Service | ServiceEntry) and hosts & {each.host for each in services}:
            keys.add(document.key)
    return frozenset(keys)


def _split(name: str) -> tuple[str, str]:
    namespace, _, own = name.rpartition("/")
    return namespace, own
