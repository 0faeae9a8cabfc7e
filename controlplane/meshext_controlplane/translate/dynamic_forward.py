"""Clusters that go to whatever host a request names, looked up in DNS when it is asked for."""

from __future__ import annotations

from meshext_controlplane.translate.messages import pack
from meshext_controlplane.translate.names import PASSTHROUGH
from meshext_controlplane.translate.pools import Cluster, build_http_options, set_http_options, set_limits
from meshext_controlplane.translate.protocols import Protocol
from meshext_proto.envoy.config.cluster.v3 import cluster_pb2
from meshext_proto.envoy.extensions.clusters.dynamic_forward_proxy.v3 import cluster_pb2 as forward_pb2
from meshext_proto.envoy.extensions.common.dynamic_forward_proxy.v3 import dns_cache_pb2
from meshext_proto.envoy.extensions.filters.http.dynamic_forward_proxy.v3 import dynamic_forward_proxy_pb2

MOST_HOSTS = 4096
"""Names that Envoy keeps: the application can not fill its memory."""


def build_cache() -> dns_cache_pb2.DnsCacheConfig:
    """The names that were looked up; one cache for the filter and all clusters, which have to agree on it."""
    cache = dns_cache_pb2.DnsCacheConfig(name="outbound")
    cache.dns_lookup_family = cluster_pb2.Cluster.V4_PREFERRED
    cache.max_hosts.value = MOST_HOSTS
    return cache


def build_forward_filter() -> dynamic_forward_proxy_pb2.FilterConfig:
    """The HTTP filter that waits for the name."""
    return dynamic_forward_proxy_pb2.FilterConfig(dns_cache_config=build_cache())


def set_dynamic_forward(cluster: Cluster) -> None:
    """Make it one of these clusters."""
    config = forward_pb2.ClusterConfig(
        dns_cache_config=build_cache(),
        # Without a certificate to check, or with one whose name a DestinationRule has written.
        allow_insecure_cluster_options=True,
    )
    cluster.lb_policy = Cluster.CLUSTER_PROVIDED
    cluster.cluster_type.name = "envoy.clusters.dynamic_forward_proxy"
    cluster.cluster_type.typed_config.CopyFrom(pack(config))


def build_passthrough() -> Cluster:
    """The cluster for hosts that no document names."""
    cluster = Cluster(name=PASSTHROUGH)
    set_limits(cluster)
    set_http_options(cluster, build_http_options(Protocol.HTTP))
    set_dynamic_forward(cluster)
    return cluster
