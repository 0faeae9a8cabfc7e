"""The PROXY protocol in front of whatever a cluster's connections speak."""

from __future__ import annotations

from meshext_controlplane.model.traffic_policy import ProxyProtocol
from meshext_controlplane.translate.messages import pack
from meshext_controlplane.translate.tls import build_raw_socket
from meshext_proto.envoy.config.cluster.v3 import cluster_pb2
from meshext_proto.envoy.config.core.v3 import base_pb2, proxy_protocol_pb2
from meshext_proto.envoy.extensions.transport_sockets.proxy_protocol.v3 import upstream_proxy_protocol_pb2

NAME = "envoy.transport_sockets.upstream_proxy_protocol"
Transport = upstream_proxy_protocol_pb2.ProxyProtocolUpstreamTransport


def set_proxy_protocol(cluster: cluster_pb2.Cluster, given: ProxyProtocol) -> None:
    """Begin every connection with it: before TLS, and for each kind of endpoint."""
    if cluster.transport_socket_matches:
        for match in cluster.transport_socket_matches:
            match.transport_socket.CopyFrom(_wrap(match.transport_socket, given))
        return
    inner = cluster.transport_socket if cluster.HasField("transport_socket") else build_raw_socket()
    cluster.transport_socket.CopyFrom(_wrap(inner, given))


def _wrap(inner: base_pb2.TransportSocket, given: ProxyProtocol) -> base_pb2.TransportSocket:
    config = proxy_protocol_pb2.ProxyProtocolConfig(version=given.version)
    return base_pb2.TransportSocket(
        name=NAME, typed_config=pack(Transport(config=config, transport_socket=inner))
    )
