"""The cluster of the filter's service: gRPC, so HTTP/2, over TCP or Unix sockets, with TLS or without.

`envoy.config.cluster.v3.Cluster`, `envoy.extensions.upstreams.http.v3.HttpProtocolOptions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from meshext.envoy.messages import builds_messages
from meshext.envoy.service_tls import ServiceTls, build_service_socket
from meshext.envoy.upstreams import Address, build_cluster

if TYPE_CHECKING:
    from envoy_data_plane.envoy.config.cluster.v3 import Cluster
    from envoy_data_plane.envoy.config.core.v3 import Http2ProtocolOptions
    from envoy_data_plane.envoy.config.route.v3 import RetryPolicy

CLUSTER = "meshext"
"""The cluster's name where nobody asks for another."""

RETRIES = 10
"""With the waits below they bridge about a second (0.9 s on average), in which a service starts again."""

FIRST_WAIT, LONGEST_WAIT = timedelta(milliseconds=25), timedelta(milliseconds=250)
UNPROCESSED = "connect-failure,refused-stream,reset-before-request,cancelled"
"""What Envoy asks again after: no hook has seen the request, so none runs twice.

`cancelled` is what gRPC's server says to a call that came while it stopped and that no handler took
(https://github.com/grpc/grpc/issues/41785). A call that a handler had taken ends otherwise: its connection
breaks when the time for draining is over, and where a filter cancels it, it is ABORTED (`hosts/server.py`).
"""

PING = timedelta(seconds=5)
"""How often a connection is asked for a sign of life, and how long it has for it.

It is as long as the least time that Envoy waits for an answer, so a connection is never given up while an
answer could still come. gRPC answers from a thread of its own, however long a hook takes.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """Where the filter's service listens: at least one address, and all of them serve the same filters."""

    addresses: tuple[Address, ...]
    cluster: str = CLUSTER
    tls: ServiceTls | None = None

    def __post_init__(self) -> None:
        if not self.addresses:
            raise ValueError("a service has at least one address")


@builds_messages
def build_service_cluster(backend: Backend) -> Cluster:
    """The cluster of the service.

    ext_proc keeps one gRPC stream open for each HTTP exchange, so the circuit breakers are far above
    Envoy's default of 1,024 requests: beyond it Envoy answers 500 by itself.
    """
    from envoy_data_plane.envoy.extensions.upstreams.http.v3 import (
        HttpProtocolOptions,
        HttpProtocolOptionsExplicitHttpConfig,
    )

    protocol = HttpProtocolOptionsExplicitHttpConfig(http2_protocol_options=_build_http2())
    options = HttpProtocolOptions(explicit_http_config=protocol, retry_policy=_build_retries())
    cluster = build_cluster(backend.cluster, backend.addresses, options)
    if backend.tls is not None:
        cluster.transport_socket = build_service_socket(backend.tls)
    return cluster


def _build_http2() -> Http2ProtocolOptions:
    from envoy_data_plane.envoy.config.core.v3 import Http2ProtocolOptions, KeepaliveSettings

    return Http2ProtocolOptions(connection_keepalive=KeepaliveSettings(interval=PING, timeout=PING))


def _build_retries() -> RetryPolicy:
    from envoy_data_plane.envoy.config.route.v3 import (
        RetryPolicy,
        RetryPolicyRetryBackOff,
        RetryPolicyRetryHostPredicate,
    )
    from envoy_data_plane.envoy.extensions.retry.host.previous_hosts.v3 import PreviousHostsPredicate
    from envoy_data_plane.google.protobuf import Any

    others = RetryPolicyRetryHostPredicate(
        name="envoy.retry_host_predicates.previous_hosts", typed_config=Any.pack(PreviousHostsPredicate())
    )
    return RetryPolicy(
        retry_on=UNPROCESSED,
        num_retries=RETRIES,
        retry_back_off=RetryPolicyRetryBackOff(base_interval=FIRST_WAIT, max_interval=LONGEST_WAIT),
        retry_host_predicate=[others],
        host_selection_retry_max_attempts=3,
    )
