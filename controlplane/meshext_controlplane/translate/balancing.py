"""Load balancing of a cluster, and what a route has to hash for it."""

from __future__ import annotations

from meshext_controlplane.model.load_balancing import ConsistentHash, LoadBalancer
from meshext_proto.envoy.config.cluster.v3 import cluster_pb2
from meshext_proto.envoy.config.route.v3 import route_components_pb2

Cluster = cluster_pb2.Cluster
HashPolicy = route_components_pb2.RouteAction.HashPolicy

_SIMPLE = {
    "LEAST_REQUEST": Cluster.LEAST_REQUEST,
    "ROUND_ROBIN": Cluster.ROUND_ROBIN,
    "RANDOM": Cluster.RANDOM,
}


def set_balancer(cluster: Cluster, balancer: LoadBalancer | None) -> None:
    """The policy that was asked for; the endpoint with the fewest requests where none was."""
    cluster.lb_policy = Cluster.LEAST_REQUEST
    if balancer is None:
        return
    if balancer.consistent_hash is not None:
        _set_hash(cluster, balancer.consistent_hash)
        return
    cluster.lb_policy = _SIMPLE.get(balancer.simple or "", Cluster.LEAST_REQUEST)
    if warmup := balancer.warmup:
        robin = cluster.lb_policy == Cluster.ROUND_ROBIN
        slow = (cluster.round_robin_lb_config if robin else cluster.least_request_lb_config).slow_start_config
        slow.slow_start_window.FromTimedelta(warmup.duration)
        slow.aggression.default_value = warmup.aggression
        slow.aggression.runtime_key = "upstream.slow_start.aggression"
        slow.min_weight_percent.value = warmup.minimum_percent


def _set_hash(cluster: Cluster, consistent: ConsistentHash) -> None:
    if consistent.maglev is not None:
        cluster.lb_policy = Cluster.MAGLEV
        cluster.maglev_lb_config.table_size.value = consistent.maglev.table_size
        return
    cluster.lb_policy = Cluster.RING_HASH
    ring = consistent.ring_hash
    cluster.ring_hash_lb_config.minimum_ring_size.value = ring.minimum_ring_size if ring else 1024


def build_hash_policy(consistent: ConsistentHash) -> HashPolicy:
    """What a request is known by."""
    policy = HashPolicy()
    if consistent.http_header_name:
        policy.header.header_name = consistent.http_header_name
    elif cookie := consistent.http_cookie:
        policy.cookie.name = cookie.name
        policy.cookie.path = cookie.path
        if cookie.ttl is not None:
            policy.cookie.ttl.FromTimedelta(cookie.ttl)
    elif consistent.use_source_ip:
        policy.connection_properties.source_ip = True
    else:
        policy.query_parameter.name = consistent.http_query_parameter_name
    return policy
