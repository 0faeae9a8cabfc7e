"""Small resources that a real Envoy takes, written by hand."""

from __future__ import annotations

from google.protobuf.message import Message

from meshext_controlplane.snapshot import Resource, encode_resource
from meshext_proto.envoy.config.cluster.v3 import cluster_pb2
from meshext_proto.envoy.config.core.v3 import address_pb2, config_source_pb2
from meshext_proto.envoy.config.endpoint.v3 import endpoint_pb2
from meshext_proto.envoy.config.listener.v3 import listener_pb2
from meshext_proto.envoy.config.route.v3 import route_pb2
from meshext_proto.envoy.extensions.filters.http.router.v3 import router_pb2
from meshext_proto.envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm,
)


def ads() -> config_source_pb2.ConfigSource:
    source = config_source_pb2.ConfigSource(resource_api_version=config_source_pb2.V3)
    source.ads.SetInParent()
    return source


def address(port: int) -> address_pb2.Address:
    socket = address_pb2.SocketAddress(address="127.0.0.1", port_value=port)
    return address_pb2.Address(socket_address=socket)


def encoded(name: str, message: Message) -> Resource:
    return encode_resource(name, message)


def cluster(name: str, *, timeout: int = 5) -> Resource:
    message = cluster_pb2.Cluster(name=name, type=cluster_pb2.Cluster.EDS)
    message.connect_timeout.seconds = timeout
    message.eds_cluster_config.eds_config.CopyFrom(ads())
    return encoded(name, message)


def endpoints(name: str, *ports: int) -> Resource:
    message = endpoint_pb2.ClusterLoadAssignment(cluster_name=name)
    locality = message.endpoints.add()
    for port in ports:
        locality.lb_endpoints.add().endpoint.address.CopyFrom(address(port))
    return encoded(name, message)


def routes(name: str, **clusters: str) -> Resource:
    """Routes by path: `routes("main", a="cluster-a")` sends `/a...` there."""
    message = route_pb2.RouteConfiguration(name=name)
    host = message.virtual_hosts.add(name="all", domains=["*"])
    for path, target in clusters.items():
        route = host.routes.add()
        route.match.prefix = f"/{path}"
        route.route.cluster = target
    return encoded(name, message)


def listener(name: str, route: str, *, port: int = 0) -> Resource:
    message = listener_pb2.Listener(name=name, address=address(port))
    message.enable_reuse_port.value = False
    manager = hcm.HttpConnectionManager(stat_prefix=name)
    manager.rds.route_config_name = route
    manager.rds.config_source.CopyFrom(ads())
    router = manager.http_filters.add(name="router")
    router.typed_config.Pack(router_pb2.Router())
    message.filter_chains.add().filters.add(name="hcm").typed_config.Pack(manager)
    return encoded(name, message)
