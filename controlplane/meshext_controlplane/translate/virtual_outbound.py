"""Where a transparent sidecar takes its application's connections.

All of them come to one listener, which gives each to the listener of the address and port that it was going
to, else to that of the port at any address; those bind nothing. What neither is about goes on as it was meant
to, or ends, as the mesh's `outboundTrafficPolicy` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meshext_controlplane.model.mesh_config import MeshConfigSpec
from meshext_controlplane.translate.captured import Block, CapturedAddress, CapturedPort, Lane
from meshext_controlplane.translate.dynamic_forward import build_cache
from meshext_controlplane.translate.http_filters import Direction, build_chain
from meshext_controlplane.translate.http_manager import ManagerOptions, build_manager
from meshext_controlplane.translate.l4_routes import Weighted
from meshext_controlplane.translate.messages import build_address, pack
from meshext_controlplane.translate.names import (
    VIRTUAL_OUTBOUND,
    name_captured_address,
    name_captured_port,
)
from meshext_controlplane.translate.outbound_listeners import Leg, build_leg
from meshext_controlplane.translate.policies import Placed
from meshext_controlplane.translate.virtual_inbound import build_loop
from meshext_proto.envoy.config.core.v3 import base_pb2
from meshext_proto.envoy.config.listener.v3 import listener_components_pb2 as components_pb2
from meshext_proto.envoy.config.listener.v3 import listener_pb2
from meshext_proto.envoy.extensions.filters.listener.http_inspector.v3 import http_inspector_pb2
from meshext_proto.envoy.extensions.filters.listener.tls_inspector.v3 import tls_inspector_pb2
from meshext_proto.envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3 import (
    sni_dynamic_forward_proxy_pb2,
)

ANY, HERE = "0.0.0.0", "127.0.0.1"
HTTP_VERSIONS = ("http/1.0", "http/1.1", "h2c")
"""What Envoy's inspector finds in a connection's first bytes."""

Chain = components_pb2.FilterChain


def build_virtual_outbound(
    number: int, refused: Iterable[int], rest: str, placed: Placed
) -> listener_pb2.Listener:
    """The listener that rules lead connections to; only this machine reaches it.

    `rest` is the cluster of what no document names.
    """
    listener = _build_listener(VIRTUAL_OUTBOUND, HERE, number)
    listener.use_original_dst.value = True
    listener.enable_reuse_port.value = False
    listener.filter_chains.extend(build_loop(each) for each in sorted(set(refused)))
    passing = _build_passing("rest", VIRTUAL_OUTBOUND, ((rest, 1),), placed)
    listener.default_filter_chain.CopyFrom(passing)
    return listener


def build_captured_port(
    port: CapturedPort, rest: str, config: MeshConfigSpec, placed: Placed
) -> listener_pb2.Listener:
    """The listener of a port at any address."""
    name = name_captured_port(port.number)
    listener = _build_listener(name, ANY, port.number)
    for block in port.blocks:
        listener.filter_chains.extend(_build_block(name, block, placed))
    listener.bind_to_port.value = False
    if port.lanes or port.http:
        # What is spoken shows in the first bytes; whoever waits for the server to speak waits here, as long
        # as it wants: a client may hold a connection ready before it asks.
        listener.listener_filters_timeout.SetInParent()
        listener.listener_filters.add(
            name="envoy.filters.listener.tls_inspector", typed_config=pack(tls_inspector_pb2.TlsInspector())
        )
    if port.http:
        listener.listener_filters.add(
            name="envoy.filters.listener.http_inspector",
            typed_config=pack(http_inspector_pb2.HttpInspector()),
        )
        listener.filter_chains.extend(_build_http(name, port, config, placed))
    listener.filter_chains.extend(_build_lanes(name, port, placed))
    passing = _build_passing("rest", name, port.rest or ((rest, 1),), placed)
    listener.default_filter_chain.CopyFrom(passing)
    return listener


def build_captured_address(captured: CapturedAddress, placed: Placed) -> listener_pb2.Listener:
    """The listener of one service's address."""
    name = name_captured_address(captured.address, captured.number)
    listener = _build_listener(name, captured.address, captured.number)
    listener.bind_to_port.value = False
    listener.filter_chains.extend(build_leg(name, leg, placed.network_logs) for leg in captured.legs)
    if any(chain.filter_chain_match.server_names for chain in listener.filter_chains):
        inspector = pack(tls_inspector_pb2.TlsInspector())
        listener.listener_filters.add(name="envoy.filters.listener.tls_inspector", typed_config=inspector)
    return listener


def _build_block(name: str, block: Block, placed: Placed) -> Iterator[Chain]:
    for leg in block.legs:
        chain = build_leg(name, leg, placed.network_logs)
        chain.name = " ".join(filter(None, (block.network, leg.server_name)))
        _match_networks(chain, (block.network,))
        yield chain


def _build_http(name: str, port: CapturedPort, config: MeshConfigSpec, placed: Placed) -> Iterator[Chain]:
    options = ManagerOptions(name, Direction.OUTBOUND, access_logs=placed.access_logs, tracing=placed.tracing)
    manager = build_manager(options, config, build_chain(Direction.OUTBOUND, placed.filters))
    chain = Chain(name="http", filters=[manager])
    chain.filter_chain_match.transport_protocol = "raw_buffer"
    chain.filter_chain_match.application_protocols.extend(HTTP_VERSIONS)
    yield chain
    if port.told:
        # Servers forgive what the inspector does not take for HTTP (a blank too many, a method in lower
        # case): passed on as it is, it would go past every filter.
        told = Chain(name="told", filters=[manager])
        told.filter_chain_match.transport_protocol = "raw_buffer"
        _match_networks(told, port.told)
        yield told


def _build_lanes(name: str, port: CapturedPort, placed: Placed) -> Iterator[Chain]:
    """Envoy looks at the address first: where HTTP is told, lanes stand once more."""
    for lane in port.lanes:
        yield _build_lane(name, port.number, lane, placed)
        if port.told:
            chain = _build_lane(name, port.number, lane, placed)
            chain.name = f"told {chain.name}"
            _match_networks(chain, port.told)
            yield chain


def _match_networks(chain: Chain, networks: Iterable[str]) -> None:
    for each in networks:
        address, _, length = each.partition("/")
        network = chain.filter_chain_match.prefix_ranges.add(address_prefix=address)
        network.prefix_len.value = int(length)


def _build_lane(name: str, port: int, lane: Lane, placed: Placed) -> Chain:
    chain = build_leg(name, lane.leg, placed.network_logs)
    chain.name = lane.leg.server_name
    chain.filter_chain_match.transport_protocol = "tls"
    if lane.looked_up:
        # A client can send any address beside a name; the name is what was allowed.
        forward = sni_dynamic_forward_proxy_pb2.FilterConfig(dns_cache_config=build_cache(), port_value=port)
        passing = chain.filters.pop()
        chain.filters.add(name="envoy.filters.network.sni_dynamic_forward_proxy", typed_config=pack(forward))
        chain.filters.append(passing)
    return chain


def _build_passing(chain: str, name: str, clusters: Weighted, placed: Placed) -> Chain:
    built = build_leg(name, Leg("", clusters), placed.network_logs)
    built.name = chain
    return built


def _build_listener(name: str, address: str, port: int) -> listener_pb2.Listener:
    return listener_pb2.Listener(
        name=name, address=build_address(address, port), traffic_direction=base_pb2.OUTBOUND
    )
