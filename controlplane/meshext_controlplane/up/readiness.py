"""Whether a mesh on this machine is ready: what is missing, a line each. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.model.workload import State
from meshext_controlplane.snapshot import LISTENER
from meshext_controlplane.up.instances import Instance
from meshext_proto.meshext import admin_pb2, workloads_pb2

SYNCED, STALE, NACKED = "SYNCED", "STALE", "NACKED"

Proxy = admin_pb2.ProxyStatusReply.Proxy


def find_missing(
    instances: Iterable[Instance], look: admin_pb2.LookReply, status: admin_pb2.ProxyStatusReply
) -> dict[str, str]:
    """What each instance that is not ready still waits for, by node."""
    states = registered_states(look)
    proxies = {proxy.node_id: proxy for proxy in status.proxies}
    waits = {each.node: waits_for(each.node, states, proxies) for each in instances}
    return {node: what for node, what in waits.items() if what}


def waits_for(node: str, states: Mapping[str, State], proxies: Mapping[str, Proxy]) -> str:
    """What one instance waits for, "" where it is ready."""
    if node not in states:
        return "has not registered"
    proxy = proxies.get(node)
    if proxy is None:
        return "its Envoy has not asked for its configuration"
    found = {part.type_url: part for part in proxy.types}
    for part in found.values():
        if part.state == NACKED:
            return f"its Envoy refuses {', '.join(part.refused) or part.type_url}: {part.error}"
    if LISTENER not in found or found[LISTENER].state != SYNCED or STALE in {p.state for p in found.values()}:
        return "its Envoy has not taken all of its configuration"
    if states[node] is not State.READY:
        return "its application is not ready"
    return ""


def registered_states(look: admin_pb2.LookReply) -> dict[str, State]:
    """What each registered workload says of itself, by node."""
    states = {}
    for each in look.workloads:
        registration = workloads_pb2.Registration.FromString(each.registration)
        namespace = SpiffeId.parse(each.spiffe_id).namespace
        states[f"{registration.name}.{namespace}"] = State(registration.state)
    return states
