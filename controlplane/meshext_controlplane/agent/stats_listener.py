"""A port for Prometheus: Envoy's statistics and nothing else of its admin interface."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from meshext.envoy.upstreams import TcpAddress
from meshext_proto.envoy.config.bootstrap.v3 import bootstrap_pb2
from meshext_proto.envoy.config.cluster.v3 import cluster_pb2
from meshext_proto.envoy.config.listener.v3 import listener_pb2
from meshext_proto.envoy.config.route.v3 import route_components_pb2, route_pb2
from meshext_proto.envoy.extensions.filters.http.router.v3 import router_pb2
from meshext_proto.envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as manager_pb2,
)

STATS, ADMIN = "stats", "admin"
PATHS = {"/metrics": "/stats/prometheus", "/stats/prometheus": "", "/ready": ""}
"""What may be asked, and what the admin interface calls it where that is another name."""


def add_stats(bootstrap: bootstrap_pb2.Bootstrap, address: TcpAddress, admin: Path) -> None:
    """Let everybody who reaches `address` read statistics."""
    bootstrap.static_resources.listeners.append(_build_listener(address))
    cluster = cluster_pb2.Cluster(name=ADMIN, type=cluster_pb2.Cluster.STATIC)
    cluster.connect_timeout.seconds = 2
    cluster.load_assignment.cluster_name = ADMIN
    endpoint = cluster.load_assignment.endpoints.add().lb_endpoints.add().endpoint
    endpoint.address.pipe.path = str(admin)
    bootstrap.static_resources.clusters.append(cluster)


def _build_listener(address: TcpAddress) -> listener_pb2.Listener:
    listener = listener_pb2.Listener(name=STATS)
    listener.address.socket_address.address = address.host
    listener.address.socket_address.port_value = address.port
    listener.enable_reuse_port.value = False
    manager = manager_pb2.HttpConnectionManager(stat_prefix=STATS, route_config=_build_routes())
    manager.request_timeout.seconds = 10
    router = manager.http_filters.add(name="envoy.filters.http.router")
    router.typed_config.Pack(router_pb2.Router())
    found = listener.filter_chains.add().filters.add(name="envoy.filters.network.http_connection_manager")
    found.typed_config.Pack(manager)
    return listener


def _build_routes() -> route_pb2.RouteConfiguration:
    routes = route_pb2.RouteConfiguration(name=STATS)
    routes.virtual_hosts.add(name=STATS, domains=["*"], routes=_routes())
    return routes


def _routes() -> Iterator[route_components_pb2.Route]:
    for path, called in PATHS.items():
        route = route_components_pb2.Route()
        route.match.path = path
        method = route.match.headers.add(name=":method")
        method.string_match.exact = "GET"
        route.route.cluster = ADMIN
        if called:
            route.route.prefix_rewrite = called
        yield route
