"""What a transparent sidecar takes from peers: one listener for every port of its workload.

Ports that the workload has told of lead to the application as their protocol says; every other port is passed
on as it comes, under the same mTLS rules and network policies. Who calls Envoy's own ports is refused: a
connection that was passed on would come back for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from meshext_controlplane.model.mesh_config import MeshConfigSpec
from meshext_controlplane.translate.inbound import Chain, InboundPort, build_chains
from meshext_controlplane.translate.messages import build_address, pack
from meshext_controlplane.translate.names import BLACK_HOLE, INBOUND_PASSTHROUGH, VIRTUAL_INBOUND
from meshext_controlplane.translate.peer_authentication import MtlsMode
from meshext_controlplane.translate.pools import Cluster, set_limits
from meshext_proto.envoy.config.core.v3 import base_pb2
from meshext_proto.envoy.config.listener.v3 import listener_components_pb2 as components_pb2
from meshext_proto.envoy.config.listener.v3 import listener_pb2
from meshext_proto.envoy.extensions.filters.listener.original_dst.v3 import original_dst_pb2
from meshext_proto.envoy.extensions.filters.listener.tls_inspector.v3 import tls_inspector_pb2
from meshext_proto.envoy.extensions.filters.network.tcp_proxy.v3 import tcp_proxy_pb2

ANY = "0.0.0.0"  # connections from other machines keep the address of the interface
SOURCE = "127.0.0.6"
"""The address from which Envoy calls the application: by it the rules know not to lead that back to Envoy."""

PATIENCE = 5
"""Seconds for a client's first bytes. Where the server speaks first there are none, and it is plaintext."""

Predicate = components_pb2.ListenerFilterChainMatchPredicate


def build_virtual_inbound(
    number: int,
    ports: Sequence[InboundPort],
    rest: InboundPort,
    refused: Iterable[int],
    config: MeshConfigSpec,
) -> listener_pb2.Listener:
    """The listener at `number`; `rest` is what holds for ports that none of `ports` is about."""
    listener = listener_pb2.Listener(
        name=VIRTUAL_INBOUND, address=build_address(ANY, number), traffic_direction=base_pb2.INBOUND
    )
    listener.enable_reuse_port.value = False
    listener.listener_filters_timeout.seconds = PATIENCE
    listener.continue_on_listener_filters_timeout = True
    listener.listener_filters.add(
        name="envoy.filters.listener.original_dst", typed_config=pack(original_dst_pb2.OriginalDst())
    )
    if (inspector := _build_inspector(ports, rest)) is not None:
        listener.listener_filters.append(inspector)
    own = frozenset(refused)
    listener.filter_chains.extend(build_loop(each) for each in sorted(own))
    for port in ports:
        if port.port.number not in own:
            listener.filter_chains.extend(_build_port(port, config))
    listener.filter_chains.extend(_build_rest(rest, config))
    return listener


def build_loop(port: int) -> Chain:
    """The filter chain that ends connections to one of Envoy's own ports."""
    chain = Chain(name=f"loop-{port}", filters=[build_proxy("loop", BLACK_HOLE)])
    chain.filter_chain_match.destination_port.value = port
    return chain


def build_proxy(prefix: str, cluster: str) -> components_pb2.Filter:
    """The filter that passes a connection's bytes on."""
    proxy = tcp_proxy_pb2.TcpProxy(stat_prefix=prefix, cluster=cluster)
    return components_pb2.Filter(name="envoy.filters.network.tcp_proxy", typed_config=pack(proxy))


def build_inbound_passthrough() -> Cluster:
    """The cluster of ports that nobody has told of: the application is where the peer meant to go."""
    cluster = Cluster(name=INBOUND_PASSTHROUGH, type=Cluster.ORIGINAL_DST, lb_policy=Cluster.CLUSTER_PROVIDED)
    set_limits(cluster)
    set_source(cluster)
    return cluster


def set_source(cluster: Cluster) -> None:
    """Call the application from the address that rules know."""
    cluster.upstream_bind_config.source_address.CopyFrom(build_address(SOURCE, 0).socket_address)


def _build_port(inbound: InboundPort, config: MeshConfigSpec) -> list[Chain]:
    number = inbound.port.number
    chains = build_chains(inbound, config)
    for chain in chains:
        chain.name = f"{number}-{chain.name}"
        chain.filter_chain_match.destination_port.value = number
    return chains


def _build_rest(inbound: InboundPort, config: MeshConfigSpec) -> list[Chain]:
    chains = build_chains(inbound, config)
    for chain in chains:
        chain.name = f"rest-{chain.name}"
    return chains


def _build_inspector(ports: Sequence[InboundPort], rest: InboundPort) -> components_pb2.ListenerFilter | None:
    """The look for TLS, off where a port takes none: a server that speaks first would be waited for."""
    plain = [each.port.number for each in ports if each.mode is MtlsMode.DISABLE]
    others = [each.port.number for each in ports if each.mode is not MtlsMode.DISABLE]
    if rest.mode is MtlsMode.DISABLE and not others:
        return None
    inspector = components_pb2.ListenerFilter(
        name="envoy.filters.listener.tls_inspector", typed_config=pack(tls_inspector_pb2.TlsInspector())
    )
    if rest.mode is MtlsMode.DISABLE:
        inspector.filter_disabled.not_match.CopyFrom(_match_ports(others))
    elif plain:
        inspector.filter_disabled.CopyFrom(_match_ports(plain))
    return inspector


def _match_ports(numbers: Sequence[int]) -> Predicate:
    matches = [Predicate() for _ in numbers]
    for match, number in zip(matches, numbers, strict=True):
        match.destination_port_range.start = number
        match.destination_port_range.end = number + 1
    if len(matches) == 1:
        return matches[0]
    return Predicate(or_match=Predicate.MatchSet(rules=matches))
