"""Connection pools, limits and outliers of a cluster, as a DestinationRule writes them."""

from __future__ import annotations

from datetime import timedelta

from google.protobuf.message import Message

from meshext_controlplane.model.traffic_policy import (
    ConnectionPool,
    HttpSettings,
    OutlierDetection,
    RetryBudget,
    TcpSettings,
)
from meshext_controlplane.translate.messages import pack
from meshext_controlplane.translate.protocols import Protocol
from meshext_proto.envoy.config.cluster.v3 import circuit_breaker_pb2, cluster_pb2
from meshext_proto.envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2

CONNECT_TIMEOUT = timedelta(seconds=10)
"""Istio's."""

IDLE = timedelta(hours=1)
UNLIMITED = 2**32 - 1
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
Cluster = cluster_pb2.Cluster
HttpOptions = http_protocol_options_pb2.HttpProtocolOptions


def set_limits(
    cluster: Cluster, pool: ConnectionPool | None = None, budget: RetryBudget | None = None
) -> None:
    """Limits that were asked for, and no others: Envoy's own would be 1,024 requests at once."""
    tcp, http = (pool.tcp if pool else None) or TcpSettings(), (pool.http if pool else None) or HttpSettings()
    threshold = circuit_breaker_pb2.CircuitBreakers.Thresholds(track_remaining=True)
    threshold.max_connections.value = tcp.max_connections or UNLIMITED
    threshold.max_pending_requests.value = http.http1_max_pending_requests or UNLIMITED
    threshold.max_requests.value = http.http2_max_requests or UNLIMITED
    threshold.max_retries.value = http.max_retries or UNLIMITED
    if budget is not None:
        threshold.retry_budget.budget_percent.value = budget.percent
        threshold.retry_budget.min_retry_concurrency.value = budget.min_retry_concurrency
    cluster.circuit_breakers.thresholds.append(threshold)
    cluster.connect_timeout.FromTimedelta(tcp.connect_timeout or CONNECT_TIMEOUT)
    if keepalive := tcp.tcp_keepalive:
        built = cluster.upstream_connection_options.tcp_keepalive
        built.SetInParent()
        if keepalive.probes is not None:
            built.keepalive_probes.value = keepalive.probes
        if keepalive.time is not None:
            built.keepalive_time.value = _whole_seconds(keepalive.time)
        if keepalive.interval is not None:
            built.keepalive_interval.value = _whole_seconds(keepalive.interval)


def build_http_options(protocol: Protocol, pool: ConnectionPool | None = None) -> HttpOptions | None:
    """Which HTTP the endpoints speak, and how long connections live; None where there is nothing to say."""
    tcp, http = (pool.tcp if pool else None) or TcpSettings(), (pool.http if pool else None) or HttpSettings()
    options = HttpOptions()
    common = options.common_http_protocol_options
    if (idle := http.idle_timeout or tcp.idle_timeout) is not None:
        common.idle_timeout.FromTimedelta(idle)
    if tcp.max_connection_duration:
        common.max_connection_duration.FromTimedelta(tcp.max_connection_duration)
    if http.max_requests_per_connection:
        common.max_requests_per_connection.value = http.max_requests_per_connection
    if protocol.is_http:
        _set_versions(options, protocol, http)
    elif not common.ListFields():
        return None
    else:
        # Envoy asks for a protocol here, although nobody speaks HTTP.
        options.explicit_http_config.http_protocol_options.SetInParent()
    return options


def _set_versions(options: HttpOptions, protocol: Protocol, http: HttpSettings) -> None:
    if http.use_client_protocol:
        chosen: Message = options.use_downstream_protocol_config
        options.use_downstream_protocol_config.http_protocol_options.enable_trailers = True
        http2 = options.use_downstream_protocol_config.http2_protocol_options
    elif protocol.is_http2 or http.h2_upgrade_policy == "UPGRADE":
        chosen = http2 = options.explicit_http_config.http2_protocol_options
    else:
        options.explicit_http_config.http_protocol_options.enable_trailers = True
        return
    chosen.SetInParent()
    http2.allow_connect = True
    if http.max_concurrent_streams:
        http2.max_concurrent_streams.value = http.max_concurrent_streams


def set_http_options(cluster: Cluster, options: HttpOptions | None) -> None:
    """Put the options where Envoy looks for them."""
    if options is not None:
        cluster.typed_extension_protocol_options[_HTTP_OPTIONS].CopyFrom(pack(options))


def set_outliers(cluster: Cluster, detection: OutlierDetection) -> None:
    """Endpoints that fail are left out for a while. Envoy's test of success rates stays off, as in Istio."""
    built = cluster.outlier_detection
    built.enforcing_success_rate.value = 0
    count = detection.consecutive_5xx_errors
    if count is not None:
        built.consecutive_5xx.value = count
        built.enforcing_consecutive_5xx.value = 100 if count else 0
    if count := detection.consecutive_gateway_errors:
        built.consecutive_gateway_failure.value = count
        built.enforcing_consecutive_gateway_failure.value = 100
    else:
        built.enforcing_consecutive_gateway_failure.value = 0
    if detection.split_external_local_origin_errors:
        built.split_external_local_origin_errors = True
        built.enforcing_local_origin_success_rate.value = 0
        if count := detection.consecutive_local_origin_failures:
            built.consecutive_local_origin_failure.value = count
            built.enforcing_consecutive_local_origin_failure.value = 100
    for name in ("interval", "base_ejection_time"):
        if (length := getattr(detection, name)) is not None:
            getattr(built, name).FromTimedelta(length)
    if detection.max_ejection_percent is not None:
        built.max_ejection_percent.value = detection.max_ejection_percent
    cluster.common_lb_config.healthy_panic_threshold.value = detection.min_health_percent or 0


def _whole_seconds(length: timedelta) -> int:
    return max(1, round(length.total_seconds()))
