"""Listeners of a gateway's ports: one filter chain for each server, told apart by the name in TLS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from meshext_controlplane.model.mesh_config import MeshConfigSpec
from meshext_controlplane.translate.gateway_secrets import Material
from meshext_controlplane.translate.gateway_tls import build_gateway_socket
from meshext_controlplane.translate.gateways import BoundServer, Family, GatewayPort
from meshext_controlplane.translate.http_filters import Direction, build_chain
from meshext_controlplane.translate.http_manager import ManagerOptions, build_manager
from meshext_controlplane.translate.l4_routes import Weighted
from meshext_controlplane.translate.messages import build_address, pack
from meshext_controlplane.translate.names import name_gateway
from meshext_controlplane.translate.policies import Placed
from meshext_controlplane.translate.tls import SERVER_ALPN
from meshext_proto.envoy.config.core.v3 import base_pb2
from meshext_proto.envoy.config.listener.v3 import listener_components_pb2 as components_pb2
from meshext_proto.envoy.config.listener.v3 import listener_pb2
from meshext_proto.envoy.extensions.filters.listener.tls_inspector.v3 import tls_inspector_pb2
from meshext_proto.envoy.extensions.filters.network.tcp_proxy.v3 import tcp_proxy_pb2

Chain = components_pb2.FilterChain


@dataclass(frozen=True, slots=True)
class Leg:
    """One filter chain before it is built.

    `names` are those that clients ask for in TLS, () for all. Requests go by the route configuration
    `routes`, or, where that is "", connections to `clusters`. `material` is what TLS needs that ends here.
    """

    server: BoundServer
    names: tuple[str, ...]
    routes: str = ""
    clusters: Weighted = ()
    material: Material | None = None


def build_gateway_listener(
    port: GatewayPort, address: str, legs: Sequence[Leg], config: MeshConfigSpec, placed: Placed
) -> listener_pb2.Listener:
    """The listener of a port; `legs` are those that `share_names` has left."""
    name = name_gateway(port.bind, port.number)
    chains = []
    for leg in legs:
        chain = _build_leg(name, leg, config, placed)
        chain.filter_chain_match.server_names.extend(leg.names)
        if port.family is Family.TLS:
            chain.filter_chain_match.transport_protocol = "tls"
        chains.append(chain)
    listener = listener_pb2.Listener(
        name=name,
        address=build_address(port.bind or address, port.listens),
        traffic_direction=base_pb2.OUTBOUND,
        filter_chains=chains,
    )
    listener.enable_reuse_port.value = False
    if port.family is Family.TLS:
        inspector = pack(tls_inspector_pb2.TlsInspector())
        listener.listener_filters.add(name="envoy.filters.listener.tls_inspector", typed_config=inspector)
    return listener


def share_names(port: GatewayPort, legs: Iterable[Leg]) -> Iterator[Leg]:
    """The legs that are left when names in TLS that an earlier one has are taken from later ones: Envoy
    refuses two chains that are alike."""
    if port.family is not Family.TLS:
        yield from islice(legs, 1)
        return
    taken: set[str] = set()
    for leg in legs:
        own = tuple(name for name in (leg.names or ("",)) if name not in taken)
        taken.update(own)
        if own:
            yield replace(leg, names=tuple(name for name in own if name))


def _build_leg(listener: str, leg: Leg, config: MeshConfigSpec, placed: Placed) -> Chain:
    chain = Chain()
    if leg.routes:
        tls = leg.server.server.tls
        options = ManagerOptions(
            leg.routes,
            Direction.GATEWAY,
            access_logs=placed.access_logs,
            tracing=placed.tracing,
            tells_peer=tls is None or tls.mode != "ISTIO_MUTUAL",
        )
        chain.filters.append(build_manager(options, config, build_chain(Direction.GATEWAY, placed.filters)))
    else:
        chain.filters.extend((*placed.network, _build_proxy(listener, leg, placed)))
    tls = leg.server.server.tls
    if leg.material is not None and tls is not None:
        alpn = SERVER_ALPN if leg.routes else ()
        chain.transport_socket.CopyFrom(build_gateway_socket(tls, leg.material, config, alpn))
    return chain


def _build_proxy(listener: str, leg: Leg, placed: Placed) -> components_pb2.Filter:
    proxy = tcp_proxy_pb2.TcpProxy(stat_prefix=listener, access_log=placed.network_logs)
    if len(leg.clusters) == 1:
        proxy.cluster = leg.clusters[0][0]
    else:
        for cluster, weight in leg.clusters:
            proxy.weighted_clusters.clusters.add(name=cluster, weight=weight)
    return components_pb2.Filter(name="envoy.filters.network.tcp_proxy", typed_config=pack(proxy))
