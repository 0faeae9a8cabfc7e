"""What passes through the HTTP proxy without being looked at: tunnels, and hosts that no document names."""

from __future__ import annotations

from meshext_controlplane.translate.l4_routes import Weighted
from meshext_controlplane.translate.names import PASSTHROUGH
from meshext_proto.envoy.config.route.v3 import route_components_pb2

BAD_GATEWAY = 502
"""Istio's answer for a host that is not in the registry."""

Route = route_components_pb2.Route


def build_connect_route(clusters: Weighted) -> Route:
    """The route of a tunnel (CONNECT): its bytes go to one of the clusters, whatever they are."""
    route = Route(name="connect")
    route.match.connect_matcher.SetInParent()
    action = route.route
    action.timeout.seconds = 0
    if len(clusters) == 1:
        action.cluster = clusters[0][0]
    else:
        for name, weight in clusters:
            action.weighted_clusters.clusters.add(name=name).weight.value = weight
    action.upgrade_configs.add(upgrade_type="CONNECT").connect_config.SetInParent()
    return route


def build_rest(allow_any: bool, *, tunnels: bool = True) -> route_components_pb2.VirtualHost:
    """The virtual host of all other names: passed on, or refused. Without `tunnels` nobody may CONNECT."""
    if not allow_any:
        routes = [Route(name="block_all"), Route(name="block_all")]
        routes[0].match.connect_matcher.SetInParent()
        routes[1].match.prefix = "/"
        for route in routes:
            route.direct_response.status = BAD_GATEWAY
        return route_components_pb2.VirtualHost(name="block_all", domains=["*"], routes=routes)
    through = Route(name="allow_any")
    through.match.prefix = "/"
    through.route.cluster = PASSTHROUGH
    through.route.timeout.seconds = 0
    routes = [build_connect_route(((PASSTHROUGH, 1),)), through] if tunnels else [through]
    return route_components_pb2.VirtualHost(name="allow_any", domains=["*"], routes=routes)
